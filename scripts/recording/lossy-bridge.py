#!/usr/bin/env python3
"""A wire with known faults: forwards Ethernet frames between two interfaces and hurts RTP in one direction.

usage: lossy-bridge.py FROM TO PLAN.json LOG.json

Everything passes, both ways, but RTP (UDP with a destination port of 10000 or more, RTP version 2, no RTCP) that goes
FROM -> TO is treated by the plan, a JSON object:
  seed         of the pseudo-random numbers
  loss         probability that a packet is dropped on its own
  bursts       [[first, count], ...]: packets, counted from 0 in each stream, that are dropped in a row
  delay_ms     fixed delay
  jitter_ms    uniform extra delay, 0..jitter_ms; may reorder when more than the packet interval
  stalls       [[first, count, ms], ...]: from packet `first` on, `count` packets wait until `ms` after the first of them
On SIGTERM it writes what it did to LOG.json, by SSRC: packets seen, and the sequence numbers it dropped. That is the truth
which a probe behind the wire has to find.
Linux only, as root; sums and segmentation offload are switched off on both interfaces, since frames are copied as they are.
"""

import array
import ctypes
import fcntl
import heapq
import json
import random
import select
import signal
import socket
import struct
import sys
import time

ETH_P_ALL = 3
SIOCETHTOOL = 0x8946
PACKET_OUTGOING = 4
RTP_PORTS_FROM = 10000


def offload_off(interface):
    """ETHTOOL_STXCSUM, _STSO, _SGSO, _SGRO to 0 (linux/ethtool.h)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for command in (0x17, 0x1F, 0x24, 0x2C):
            value = array.array("B", struct.pack("II", command, 0))
            address = value.buffer_info()[0]
            try:
                fcntl.ioctl(control, SIOCETHTOOL, struct.pack("16sP", interface.encode(), address))
            except OSError:
                pass  # an interface without that offload has nothing to switch off


def open_raw(interface):
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    raw.bind((interface, ETH_P_ALL))
    raw.setblocking(False)
    return raw


def rtp_of(frame):
    """(ssrc, sequence) of an RTP packet over IPv4 or IPv6 without extension headers, else None."""
    ethertype = struct.unpack_from("!H", frame, 12)[0]
    if ethertype == 0x0800 and frame[23] == 17:
        udp = 14 + (frame[14] & 15) * 4
    elif ethertype == 0x86DD and frame[20] == 17:
        udp = 54
    else:
        return None
    if len(frame) < udp + 20 or struct.unpack_from("!H", frame, udp + 2)[0] < RTP_PORTS_FROM:
        return None
    first, second, sequence, _, ssrc = struct.unpack_from("!BBHII", frame, udp + 8)
    if first >> 6 != 2 or 192 <= second <= 223:
        return None
    return ssrc, sequence


class Plan:
    def __init__(self, plan):
        self.plan = plan
        self.random = random.Random(plan.get("seed", 1))
        self.streams = {}
        self.stalled_until = {}

    def due(self, ssrc, sequence, now):
        """When to let the packet out (seconds), None to drop it."""
        stream = self.streams.setdefault(ssrc, {"packets": 0, "dropped": []})
        index = stream["packets"]
        stream["packets"] += 1
        # Drawn for every packet, so that the same seed hurts the same packets whatever else is in the plan.
        lost = self.random.random() < self.plan.get("loss", 0)
        extra = self.random.random() * self.plan.get("jitter_ms", 0)
        if lost or any(first <= index < first + count for first, count in self.plan.get("bursts", [])):
            stream["dropped"].append(sequence)
            return None
        due = now + (self.plan.get("delay_ms", 0) + extra) / 1000
        for first, count, stall in self.plan.get("stalls", []):
            if index == first:
                self.stalled_until[ssrc] = now + stall / 1000
            if first <= index < first + count:
                due = max(due, self.stalled_until.get(ssrc, 0))
        return due


def main():
    source, target, plan_path, log_path = sys.argv[1:5]
    with open(plan_path, encoding="utf8") as file:
        plan = Plan(json.load(file))
    for interface in (source, target):
        offload_off(interface)
    from_side, to_side = open_raw(source), open_raw(target)
    queue, order = [], 0
    running = True

    def stop(*_):
        nonlocal running
        running = False

    signal.signal(signal.SIGTERM, stop)
    ctypes.CDLL(None).prctl(29, 1, 0, 0, 0)  # PR_SET_TIMERSLACK, 1 ns: delays are kept to some tens of microseconds
    while running:
        wait = max(0.0, queue[0][0] - time.monotonic()) if queue else 0.2
        ready, _, _ = select.select([from_side, to_side], [], [], min(wait, 0.2))
        for raw in ready:
            frame, address = raw.recvfrom(65536)
            if address[2] == PACKET_OUTGOING:
                continue
            now = time.monotonic()
            found = rtp_of(frame) if raw is from_side else None
            due = plan.due(*found, now) if found else now
            if due is not None:
                order += 1
                heapq.heappush(queue, (due, order, to_side if raw is from_side else from_side, frame))
        while queue and queue[0][0] <= time.monotonic():
            _, _, out, frame = heapq.heappop(queue)
            out.send(frame)
    streams = {f"0x{ssrc:08x}": stream for ssrc, stream in plan.streams.items()}
    with open(log_path, "w", encoding="utf8") as file:
        json.dump(streams, file)


main()
