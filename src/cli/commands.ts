import type { Command } from 'commander'

/** A command, and its module: loaded when it is the one that runs, since each brings libraries of its own. */
export interface CommandEntry {
  name: string
  /** As the command's own help has it. */
  description: string
  load(): Promise<Command>
}

/** In the order of the help. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'replay',
    description:
      'Measure the calls in capture files (pcap, pcapng; plain, gzip or zstd), or - for standard input.',
    load: async () => (await import('./replay.js')).replayCommand(),
  },
  {
    name: 'capture',
    description: 'Measure the calls on a network interface (a mirror port), as they happen.',
    load: async () => (await import('./capture.js')).captureCommand(),
  },
  {
    name: 'doctor',
    description:
      'Say whether a mirror port, and the installation, are fit to measure on, and what to do about it.',
    load: async () => (await import('./doctor.js')).doctorCommand(),
  },
  {
    name: 'emodel',
    description:
      'Calculate R and MOS by the E-model (ITU-T G.107, G.107.1, G.107.2) for a codec, loss and delay.',
    load: async () => (await import('./emodel.js')).emodelCommand(),
  },
  {
    name: 'generate',
    description: 'Write labelled SIP, RTP and RTCP traffic with known impairments, and its truth.',
    load: async () => (await import('./generate.js')).generateCommand(),
  },
  {
    name: 'verify',
    description:
      'Compare every RTP stream of capture files with tshark: figures side by side, differences explained.',
    load: async () => (await import('./verify.js')).verifyCommand(),
  },
  {
    name: 'extract',
    description: 'Write the packets of one call, out of any number of captures, to a small capture file.',
    load: async () => (await import('./extract.js')).extractCommand(),
  },
  {
    name: 'dashboards',
    description: 'Grafana dashboards: write them to a folder, or put them into a Grafana.',
    load: async () => (await import('./dashboards.js')).dashboardsCommand(),
  },
  {
    name: 'alerts',
    description: 'Test who is told of alerts, or show the rules in force.',
    load: async () => (await import('./alerts.js')).alertsCommand(),
  },
  {
    name: 'config',
    description: 'Check a configuration file, or print what it may hold.',
    load: async () => (await import('./config.js')).configCommand(),
  },
]
