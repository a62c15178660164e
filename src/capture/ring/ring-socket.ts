import { CallprobeError, errorText } from '../../errors.js'
import { errnoName, type CaptureBinding, type InterfaceState } from './native.js'

export const DEFAULT_RING_BYTES = 128 * 1024 * 1024
/**
 * A block that time retires is used up, however little is in it: many small ones carry a quiet link through a long stall.
 * The largest frame fits.
 */
export const DEFAULT_BLOCK_BYTES = 256 * 1024
/** Smallest ring that is tried when memory is short. */
const LEAST_RING_BYTES = 4 * 1024 * 1024
/** A ring is one Int32Array of frame offsets. */
const MOST_RING_BYTES = 1024 * 1024 * 1024
/** The kernel hands out a block that is not full after so long: 512 of them last for 25 s. */
export const DEFAULT_RETIRE_MS = 50
/** What tcpdump takes for "all of it": larger than any frame, merged ones included. */
export const WHOLE_FRAME_BYTES = 262_144
/** TPACKET_V3 ignores it but checks it: more than its headers, a multiple of 16. */
const FRAME_BYTES = 2048
/** Room before each frame for the VLAN tag that the kernel took out. */
export const VLAN_TAG_BYTES = 4

// linux/if_arp.h -> https://www.tcpdump.org/linktypes.html
const LINK_TYPES = new Map([
  [1, 1], // ETHER
  [772, 1], // LOOPBACK: Ethernet headers of zeros
  [512, 9], // PPP
  [65534, 101], // NONE (tun, wireguard): bare IP
  [768, 101], // TUNNEL
  [769, 101], // TUNNEL6
  [776, 101], // SIT
  [778, 101], // IPGRE
  [519, 101], // RAWIP
  [801, 105], // IEEE80211
  [803, 127], // IEEE80211_RADIOTAP
])

export interface FanoutMembership {
  /** 16 bits, unique on the machine. */
  group: number
  /** PACKET_FANOUT_* with its flags. */
  mode: number
  /** For PACKET_FANOUT_CBPF: classic BPF that returns the member. Set once, by any member. */
  program?: Uint8Array
}

export interface RingOptions {
  interfaceName: string
  ringBytes?: number
  blockBytes?: number
  retireMs?: number
  /** Bytes kept of each frame. */
  snapBytes?: number
  promiscuous?: boolean
  /** libpcap's filter language. */
  filter?: string
  timestamps?: 'kernel' | 'hardware'
  fanout?: FanoutMembership
}

/** An open ring, as plain data: a worker thread can map it by its descriptor. */
export interface RingSocket {
  fd: number
  interfaceName: string
  interfaceIndex: number
  /** LINKTYPE_* */
  linkType: number
  loopback: boolean
  promiscuous: boolean
  mtu: number
  blockBytes: number
  blocks: number
  retireMs: number
  hardwareStamps: boolean
  /** Of a fanout group: the kernel binds it to no other interface. */
  inFanout: boolean
  /** What could not be had as it was asked for. */
  notes: string[]
}

/**
 * Opens a packet socket with a ring on an interface; packets arrive from here on.
 * @throws CallprobeError INTERFACE_NOT_FOUND, CAPTURE_NOT_PERMITTED, BAD_FILTER, CAPTURE_FAILED
 */
export function openRingSocket(binding: CaptureBinding, options: RingOptions): RingSocket {
  const { interfaceName } = options
  const state = binding.interfaceState(interfaceName)
  if (state === undefined) throw notFound(interfaceName)
  const linkType = linkTypeOf(interfaceName, state)
  const fd = guarded(interfaceName, () => binding.openSocket())
  try {
    return guarded(interfaceName, () => setUp(binding, fd, options, state, linkType))
  } catch (error) {
    binding.closeSocket(fd)
    throw error
  }
}

export function linkTypeOf(interfaceName: string, { hardwareType }: InterfaceState): number {
  const linkType = LINK_TYPES.get(hardwareType)
  if (linkType !== undefined) return linkType
  throw new CallprobeError(
    'CAPTURE_FAILED',
    `${interfaceName} is of a kind that callprobe cannot read (ARPHRD type ${hardwareType})`,
    { hint: 'capture on an Ethernet interface, or with tcpdump -w and replay the file' },
  )
}

function setUp(
  binding: CaptureBinding,
  fd: number,
  options: RingOptions,
  state: InterfaceState,
  linkType: number,
): RingSocket {
  const { interfaceName, fanout } = options
  const blockBytes = options.blockBytes ?? DEFAULT_BLOCK_BYTES
  const retireMs = options.retireMs ?? DEFAULT_RETIRE_MS
  const snapBytes = options.snapBytes ?? WHOLE_FRAME_BYTES
  const promiscuous = options.promiscuous ?? true
  const notes: string[] = []
  const blocks = makeRing(binding, fd, options.ringBytes ?? DEFAULT_RING_BYTES, blockBytes, retireMs, notes)
  const program = filterProgram(binding, options, linkType, snapBytes)
  // Until it is one of the group, it would get what the group gets, too.
  if (fanout) binding.attachFilter(fd, keepProgram(0))
  else if (program) binding.attachFilter(fd, program)
  const hardwareStamps = setUpStamps(binding, fd, options, notes)
  if (state.loopback) binding.ignoreOutgoing(fd)
  else if (promiscuous) binding.setPromiscuous(fd, state.index)
  binding.bindSocket(fd, state.index)
  if (fanout) {
    binding.joinFanout(fd, fanout.group, fanout.mode)
    if (fanout.program) binding.setFanoutProgram(fd, fanout.program)
    binding.attachFilter(fd, program ?? keepProgram(WHOLE_FRAME_BYTES))
  }
  return {
    fd,
    interfaceName,
    interfaceIndex: state.index,
    linkType,
    loopback: state.loopback,
    promiscuous: promiscuous && !state.loopback,
    mtu: state.mtu,
    blockBytes,
    blocks,
    retireMs,
    hardwareStamps,
    inFanout: fanout !== undefined,
    notes,
  }
}

/** The ring, or a smaller one where memory is short. Returns its blocks. */
function makeRing(
  binding: CaptureBinding,
  fd: number,
  ringBytes: number,
  blockBytes: number,
  retireMs: number,
  notes: string[],
): number {
  const wanted = Math.min(Math.max(ringBytes, 2 * blockBytes), MOST_RING_BYTES)
  let blocks = Math.floor(wanted / blockBytes)
  for (;;) {
    try {
      binding.setUpRing(fd, blockBytes, blocks, FRAME_BYTES, retireMs, VLAN_TAG_BYTES)
      break
    } catch (error) {
      const smaller = blocks >> 1
      if (errnoName(error) !== 'ENOMEM' || smaller * blockBytes < LEAST_RING_BYTES) throw error
      blocks = smaller
    }
  }
  const got = blocks * blockBytes
  if (got < wanted - blockBytes)
    notes.push(
      `the kernel had room for a ring of ${got >> 20} MiB only (wanted: ${wanted >> 20} MiB): short stalls may cost packets`,
    )
  return blocks
}

/** struct sock_filter `ret #k`: keeps k bytes of every packet. */
export function keepProgram(bytes: number): Uint8Array {
  const program = new Uint8Array(8)
  const view = new DataView(program.buffer)
  const little = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1
  view.setUint16(0, 0x06, little)
  view.setUint32(4, bytes, little)
  return program
}

function filterProgram(
  binding: CaptureBinding,
  { filter, interfaceName }: RingOptions,
  linkType: number,
  snapBytes: number,
): ArrayBuffer | Uint8Array | undefined {
  if (filter === undefined || filter.trim() === '')
    return snapBytes < WHOLE_FRAME_BYTES ? keepProgram(snapBytes) : undefined
  try {
    return binding.compileFilter(filter, interfaceName, linkType, snapBytes)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'NO_LIBPCAP')
      throw new CallprobeError('BAD_FILTER', 'a capture filter needs libpcap, which was not found', {
        hint: 'install it (Debian, Ubuntu: apt-get install libpcap0.8), or capture without --bpf',
        cause: error,
      })
    if (code !== 'BAD_FILTER') throw error
    throw new CallprobeError(
      'BAD_FILTER',
      `libpcap does not understand the filter "${filter}": ${errorText(error)}`,
      {
        hint: 'the language is that of tcpdump, see `man pcap-filter`: for example "udp or (tcp port 5060)"',
        cause: error,
      },
    )
  }
}

/** @returns whether the card's stamps were asked for, and may come */
function setUpStamps(binding: CaptureBinding, fd: number, options: RingOptions, notes: string[]): boolean {
  // Where packets enter, not when this socket's turn comes: closer to the wire when the processor is busy.
  try {
    binding.stampOnArrival(fd)
  } catch (error) {
    notes.push(`packets are stamped later than they could be: ${errorText(error)}`)
  }
  if (options.timestamps !== 'hardware') return false
  const { interfaceName } = options
  try {
    binding.startHardwareStamps(interfaceName)
  } catch (error) {
    const code = errnoName(error)
    if (code === 'EPERM')
      throw new CallprobeError(
        'CAPTURE_NOT_PERMITTED',
        `hardware timestamps on ${interfaceName} have to be switched on, which needs CAP_NET_ADMIN`,
        {
          hint: 'run as root, add CAP_NET_ADMIN, switch them on before (hwstamp_ctl -r 1), or leave --timestamps out',
        },
      )
    notes.push(`${interfaceName} gives no hardware timestamps (${code}): the kernel's are used`)
    return false
  }
  binding.useHardwareStamps(fd)
  return true
}

function notFound(interfaceName: string): CallprobeError {
  return new CallprobeError('INTERFACE_NOT_FOUND', `there is no network interface ${interfaceName}`, {
    hint: '`ip link` lists them; `callprobe doctor -i IFACE` says whether one is fit to measure on',
  })
}

/** Turns what the system refused into words. */
function guarded<T>(interfaceName: string, action: () => T): T {
  try {
    return action()
  } catch (error) {
    if (error instanceof CallprobeError) throw error
    const code = errnoName(error)
    if (code === 'EPERM' || code === 'EACCES')
      throw new CallprobeError('CAPTURE_NOT_PERMITTED', `capturing on ${interfaceName} is not permitted`, {
        hint: 'run with sudo, or as a service with AmbientCapabilities=CAP_NET_RAW (packaging/callprobe.service)',
        cause: error,
      })
    if (code === 'ENODEV' || code === 'ENXIO') throw notFound(interfaceName)
    if (code === 'ENOMEM')
      throw new CallprobeError('CAPTURE_FAILED', `no memory for the capture ring of ${interfaceName}`, {
        hint: 'free memory, or ask for a smaller ring: --ring 16',
        cause: error,
      })
    if (code === 'EAFNOSUPPORT' || code === 'EPROTONOSUPPORT' || code === 'ENOPROTOOPT')
      throw new CallprobeError(
        'CAPTURE_UNAVAILABLE',
        `this kernel has no packet rings (${errorText(error)})`,
        {
          hint: 'use a kernel with CONFIG_PACKET, or capture with tcpdump -w - and `callprobe replay -`',
          cause: error,
        },
      )
    throw new CallprobeError('CAPTURE_FAILED', `capture on ${interfaceName} failed: ${errorText(error)}`, {
      cause: error,
    })
  }
}
