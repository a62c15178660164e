// The page that bench:live writes.

const number = (value) => value.toLocaleString('en-US', { maximumFractionDigits: 0 })
const rateOf = ({ sent, seconds }) => sent / seconds
const perMillion = ({ cpu, packets }) => (packets > 0 ? ((cpu / packets) * 1e6).toFixed(2) : '')
const mib = (bytes) => (bytes / 2 ** 20).toFixed(0)

function row({ rate, streams, workers, callprobe, tcpdump }) {
  const cells = [
    rate === 0 ? 'fastest' : number(rate),
    number(rateOf(callprobe.sent)),
    number(streams),
    workers,
    number(callprobe.packets),
    number(callprobe.drops),
    number(callprobe.sent.sent - callprobe.packets - callprobe.drops),
    number(callprobe.lost),
    perMillion(callprobe),
    callprobe.steady.toFixed(2),
    mib(callprobe.resident),
    ...(tcpdump ? [number(rateOf(tcpdump.sent)), number(tcpdump.drops), perMillion(tcpdump)] : ['', '', '']),
  ]
  return `| ${cells.join(' | ')} |`
}

export function page({ machine, date, seconds, tcpdumpSeconds, ringMib, rows }) {
  return `# Live benchmarks

Written by \`npm run bench:live\`; do not edit.

${date}, commit ${machine.commit}. ${machine.cpu}, ${machine.memory}; ${machine.system}; Node ${machine.node}.

\`bench/live/blast.c\` puts G.711 RTP (214-byte frames) on one end of a veth pair for ${seconds} s; callprobe captures on the other, with
a ring of ${ringMib} MiB, every metric, alert rules, and NDJSON of streams, intervals and calls. The generator and the kernel's
work for the sender share the same processors. tcpdump writes to /dev/null with a buffer of the same size, in a turn of its
own of ${tcpdumpSeconds} s.

| packets/s asked | sent/s | streams | workers | measured | dropped by the ring | lost before the ring | lost by the streams | CPU-s per million | of the last third | RSS, MiB | tcpdump: sent/s | dropped | CPU-s per million |
|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|
${rows.map(row).join('\n')}

- **lost before the ring**: sent, and neither measured nor dropped by the ring: the veth's own queue was full.
- **CPU-s per million**: user and system time of the process, from the first packet to 0.7 s after the last: with what the
  engine spends on compiling the program while it runs. **Of the last third**: what remains when that is over.
- **workers**: of \`callprobe capture --workers\`; CPU time is that of all threads together.
- Streams send a packet every 20 ms; every 7 ms where 2,100 of them send 300,000 packets a second.

## To reproduce

\`\`\`
node scripts/system-packages.mjs --install --for bench
sudo npm run bench:live                # about three minutes
sudo npm run bench:live -- --quick     # half a minute, prints the page and leaves this one alone
\`\`\`
`
}
