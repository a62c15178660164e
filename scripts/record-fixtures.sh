#!/usr/bin/env bash
# Records the captures of fixtures/ anew: real user agents (sipp, baresip) in two network namespaces of their own, with a
# wire between them that is either clean or hurts RTP by a known plan (scripts/recording/lossy-bridge.py).
# The capture is taken at the callee's end of the wire, as a mirror port there would see it.
#   sudo scripts/record-fixtures.sh [NAME...]      NAME as in the list at the end; all without one
# Needs: node scripts/system-packages.mjs --install --for fixtures. Linux, root. About two minutes.
# scripts/expect-fixtures.mjs then writes NAME.expected.json from tshark and the logs kept in out/recording/: read it
# before you commit it.
set -euo pipefail
cd "$(dirname "$0")/.."

root=$PWD
recording=$root/scripts/recording
logs=$root/out/recording
scratch=$(mktemp -d)
caller_ns=cpfix-caller callee_ns=cpfix-callee wire_ns=cpfix-wire
caller4=10.20.0.1 callee4=10.20.0.2 caller6=2001:db8:20::1 callee6=2001:db8:20::2
started=()

clean_up() {
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  for ns in $caller_ns $callee_ns $wire_ns; do ip netns del $ns 2>/dev/null || true; done
  rm -rf "$scratch"
}
trap clean_up EXIT

in_caller() { ip netns exec $caller_ns "$@"; }
in_callee() { ip netns exec $callee_ns "$@"; }

# --- the wire ---------------------------------------------------------------------------------------------------------

# wire [PLAN.json]: two namespaces joined by a veth pair, or by the bridge that follows the plan.
wire() {
  for ns in $caller_ns $callee_ns $wire_ns; do ip netns del $ns 2>/dev/null || true; ip netns add $ns; done
  if [ $# -eq 0 ]; then
    ip -n $caller_ns link add eth0 type veth peer name eth0 netns $callee_ns
  else
    ip -n $caller_ns link add eth0 type veth peer name left netns $wire_ns
    ip -n $callee_ns link add eth0 type veth peer name right netns $wire_ns
    ip -n $wire_ns link set left up
    ip -n $wire_ns link set right up
    ip netns exec $wire_ns sysctl -qw net.ipv6.conf.all.disable_ipv6=1 2>/dev/null || true
    ip netns exec $wire_ns python3 "$recording/lossy-bridge.py" left right "$1" "$logs/$name.wire.json" &
    bridge=$!
    started+=("$bridge")
  fi
  ip -n $caller_ns link set eth0 address 02:00:00:00:00:01
  ip -n $callee_ns link set eth0 address 02:00:00:00:00:02
  local ns address
  for ns in $caller_ns:$caller4/24 $callee_ns:$callee4/24 $caller_ns:$caller6/64 $callee_ns:$callee6/64; do
    address=${ns#*:}
    ip -n "${ns%%:*}" address add "$address" dev eth0 $([[ $address == *:* ]] && echo nodad)
  done
  for ns in $caller_ns $callee_ns; do
    ip -n $ns link set lo up
    ip -n $ns link set eth0 up
    # Sums in software: the wire's copies, and what the capture shows, are then what a real wire carries.
    ip netns exec $ns python3 - <<'PY'
import array, fcntl, socket, struct
control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for command in (0x17, 0x1F, 0x24):
    value = array.array("B", struct.pack("II", command, 0))
    try:
        fcntl.ioctl(control, 0x8946, struct.pack("16sP", b"eth0", value.buffer_info()[0]))
    except OSError:
        pass
PY
  done
  sleep 1
}

capture_start() {
  # Not through in_callee: the process started is then tcpdump itself, which can be signalled.
  ip netns exec $callee_ns tcpdump -q -i eth0 -s 0 -U --time-stamp-precision=micro -w "$scratch/$name.pcap" \
    'udp or tcp' 2>"$logs/$name.tcpdump.log" &
  tcpdump=$!
  started+=("$tcpdump")
  sleep 1
}

capture_stop() {
  sleep 2 # the kernel hands packets over in blocks, a second late
  kill "$tcpdump"
  wait "$tcpdump" || true
  if [ -n "${bridge:-}" ]; then kill "$bridge"; wait "$bridge" || true; bridge=; fi
  cp "$scratch/$name.pcap" "$root/fixtures/$name.pcap"
  chmod 644 "$root/fixtures/$name.pcap"
  echo "$name: $(stat -c %s "$root/fixtures/$name.pcap") bytes; $(tail -1 "$logs/$name.tcpdump.log")"
}

# --- sipp -------------------------------------------------------------------------------------------------------------

codec=PCMU pt=0 audio=ulaw talk_ms=6000 status=486 reason='Busy Here' transport=u1
# sipp always sends SSRC 0xca110000: calls of one capture are told apart by their ports.
port_offset=0
caller=$caller4 callee=$callee4

scenario() {
  sed -e "s|@PT@|$pt|g; s|@CODEC@|$codec|g; s|@AUDIO@|$scratch/tone.$audio|g; s|@TALK_MS@|$talk_ms|g" \
    -e "s|@STATUS@|$status|g; s|@REASON@|$reason|g" "$recording/sipp/$1.xml" >"$scratch/$1.xml"
  echo "$scratch/$1.xml"
}

# sipp_pair UAC UAS USER: one call between two scenarios. sipp ends with 0 only when every message came as scripted.
sipp_pair() {
  local uac uas common code=0
  uac=$(scenario "$1") uas=$(scenario "$2")
  common=(-m 1 -nostdin -t "$transport" -timeout 40 -timeout_error -trace_err -trace_shortmsg)
  (cd "$scratch" && in_callee sipp -sf "$uas" -i "$callee" -mi "$callee" -p 5060 -s "$3" -mp $((20000 + port_offset)) "${common[@]}" \
    -error_file "$logs/$name.uas.err" -shortmessage_file "$logs/$name.$1.$3.uas.csv" >/dev/null 2>&1) &
  local uas_pid=$!
  started+=("$uas_pid")
  sleep 0.7
  (cd "$scratch" && in_caller sipp -sf "$uac" -i "$caller" -mi "$caller" -p 5060 -s "$3" -mp $((10000 + port_offset)) "${common[@]}" \
    -error_file "$logs/$name.uac.err" -shortmessage_file "$logs/$name.$1.$3.uac.csv" \
    "$(bracket "$callee"):5060" >/dev/null 2>&1) || code=$?
  wait "$uas_pid" || code=$((code + 100))
  echo "$1 to $3: sipp exit code $code" | tee -a "$logs/$name.sipp.log"
  [ "$code" -eq 0 ]
}

bracket() { if [[ $1 == *:* ]]; then echo "[$1]"; else echo "$1"; fi; }

# --- baresip ----------------------------------------------------------------------------------------------------------

# baresip_config FOLDER USER ADDRESS MODULE PORTS CODEC: a phone without a sound card that answers by itself and plays a tone.
baresip_config() {
  mkdir -p "$1"
  cat >"$1/config" <<CONF
sip_listen $(bracket "$3"):5060
audio_player aufile,$1/heard.wav
audio_source aufile,$scratch/tone.wav
audio_alert aufile,$1/alert.wav
audio_buffer 20-160
jitter_buffer_delay 5-10
rtp_ports $5
rtcp_mux no
rtp_stats yes
module_path /usr/lib/baresip/modules
module $4.so
module aufile.so
module_app account.so
module_app menu.so
module_app rtcpsummary.so
opus_bitrate 24000
opus_stereo no
opus_sprop_stereo no
CONF
  echo "<sip:$2@$(bracket "$3")>;regint=0;answermode=auto;audio_codecs=$6" >"$1/accounts"
  : >"$1/contacts"
}

# baresip_pair MODULE CODEC RATE:CHANNELS SECONDS: one call, ended by the caller.
baresip_pair() {
  python3 "$recording/tone.py" "wav:$3" $(($4 + 10)) "$scratch/tone.wav"
  baresip_config "$scratch/bob" bob "$callee" "$1" 20000-20100 "$2"
  baresip_config "$scratch/alice" alice "$caller" "$1" 10000-10100 "$2"
  ip netns exec $callee_ns baresip -f "$scratch/bob" -t $(($4 + 6)) </dev/null >"$logs/$name.bob.log" 2>&1 &
  local bob=$!
  started+=("$bob")
  sleep 2
  # A phone that quits after its time hangs up first.
  in_caller baresip -f "$scratch/alice" -t "$4" -e "/dial sip:bob@$(bracket "$callee")" \
    >"$logs/$name.alice.log" 2>&1 </dev/null || true
  wait "$bob" || true
}

# --- the fixtures -----------------------------------------------------------------------------------------------------

sipp-g711() {
  wire
  capture_start
  sipp_pair uac-call uas-call 2001
  codec=PCMA pt=8 audio=alaw port_offset=100 sipp_pair uac-call uas-call 2002
  capture_stop
}

sipp-setup-failures() {
  wire
  capture_start
  sipp_pair uac-refused uas-refused 2003
  status=503 reason='Service Unavailable' sipp_pair uac-refused uas-refused 2004
  sipp_pair uac-cancel uas-cancel 2005
  capture_stop
}

sipp-tcp-challenge-ipv6() {
  wire
  capture_start
  caller=$caller6 callee=$callee6 transport=t1
  talk_ms=4000 sipp_pair uac-challenged uas-challenged 2006
  sipp_pair uac-register uas-register 1001
  caller=$caller4 callee=$callee4 transport=u1
  capture_stop
}

sipp-one-way() {
  wire
  capture_start
  sipp_pair uac-call uas-silent 2007
  capture_stop
}

baresip-g722() {
  wire
  capture_start
  baresip_pair g722 G722/16000/1 16000:1 11
  capture_stop
}

baresip-opus-random-loss() {
  echo '{"seed": 7, "loss": 0.03, "delay_ms": 30, "jitter_ms": 20}' >"$scratch/plan.json"
  wire "$scratch/plan.json"
  capture_start
  baresip_pair opus opus/48000/2 48000:1 12
  capture_stop
}

baresip-pcmu-bursts() {
  echo '{"seed": 7, "bursts": [[150, 12], [330, 9]], "delay_ms": 20, "jitter_ms": 2,
    "stalls": [[220, 8, 160], [270, 8, 160], [410, 8, 160]]}' >"$scratch/plan.json"
  wire "$scratch/plan.json"
  capture_start
  baresip_pair g711 PCMU/8000/1 8000:1 12
  capture_stop
}

all=(sipp-g711 sipp-setup-failures sipp-tcp-challenge-ipv6 sipp-one-way baresip-g722 baresip-opus-random-loss
  baresip-pcmu-bursts)

mkdir -p "$logs"
python3 "$recording/tone.py" ulaw 10 "$scratch/tone.ulaw"
python3 "$recording/tone.py" alaw 10 "$scratch/tone.alaw"
for name in "${@:-${all[@]}}"; do
  rm -f "$logs/$name".*
  "$name"
  node scripts/expect-fixtures.mjs "$name"
done
