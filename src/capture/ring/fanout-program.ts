/** PACKET_FANOUT_CBPF: a classic BPF program picks the member. */
export const FANOUT_CBPF = 6

// linux/bpf_common.h
const LOAD_WORD = 0x20 // ld [k]
const LOAD_HALF = 0x28 // ldh [k]
const LOAD_BYTE = 0x30 // ldb [k]
const LOAD_WORD_INDEXED = 0x40 // ld [x + k]
const LOAD_HALF_INDEXED = 0x48 // ldh [x + k]
const LOAD_HEADER_LENGTH = 0xb1 // ldxb 4*([k]&0xf)
const LOAD_X = 0x01 // ldx #k
const STORE = 0x02 // st M[k]
const LOAD_STORED_X = 0x61 // ldx M[k]
const XOR_X = 0xac
const AND = 0x54
const SHIFT_RIGHT = 0x74
const ADD = 0x04
const MODULO = 0x94
const JUMP_EQUAL = 0x15
const JUMP_ANY_BIT = 0x45
const RETURN = 0x06
const RETURN_A = 0x16

/** SKF_NET_OFF: offsets from here on are from the network header, whatever stands before it. */
const NETWORK = -0x100000

interface Step {
  code: number
  k?: number
  /** Labels to go to; default: the next step. */
  yes?: string
  no?: string
  label?: string
}

/**
 * Which of `members` rings a packet goes to. Member 0 gets all that is not plain UDP: TCP, ICMP, fragments, SIP and
 * tunnels (by port), IPv6 with extension headers. Other UDP is spread over members 1.. (or all of 1) by
 * `(source ^ destination) ^ (source port >> 1) ^ (destination port >> 1)`, so that a flow, its reverse and their RTCP (the
 * odd ports) meet in one.
 *
 * @param members 1..256; with 1 everything goes to it
 * @param member0Ports UDP ports whose packets member 0 is to see
 * @returns struct sock_filter[], in the machine's byte order
 */
export function fanoutProgram(members: number, member0Ports: readonly number[]): Uint8Array {
  const steps: Step[] = [
    { code: LOAD_BYTE, k: NETWORK },
    { code: SHIFT_RIGHT, k: 4 },
    { code: JUMP_EQUAL, k: 4, yes: 'ipv4' },
    { code: JUMP_EQUAL, k: 6, no: 'first' },
    // IPv6: next header, then the low words of both addresses.
    { code: LOAD_BYTE, k: NETWORK + 6 },
    { code: JUMP_EQUAL, k: 17, no: 'first' },
    { code: LOAD_WORD, k: NETWORK + 20 },
    { code: STORE, k: 0 },
    { code: LOAD_WORD, k: NETWORK + 36 },
    { code: LOAD_STORED_X, k: 0 },
    { code: XOR_X },
    { code: STORE, k: 0 },
    { code: LOAD_X, k: 40 },
    { code: JUMP_EQUAL, k: 0, yes: 'ports', no: 'ports' },
    { label: 'ipv4', code: LOAD_BYTE, k: NETWORK + 9 },
    { code: JUMP_EQUAL, k: 17, no: 'first' },
    { code: LOAD_HALF, k: NETWORK + 6 },
    // More fragments, or an offset: the ports are in another packet.
    { code: JUMP_ANY_BIT, k: 0x3fff, yes: 'first' },
    { code: LOAD_WORD, k: NETWORK + 12 },
    { code: STORE, k: 0 },
    { code: LOAD_WORD, k: NETWORK + 16 },
    { code: LOAD_STORED_X, k: 0 },
    { code: XOR_X },
    { code: STORE, k: 0 },
    { code: LOAD_HEADER_LENGTH, k: NETWORK },
    { label: 'ports', code: LOAD_HALF_INDEXED, k: NETWORK },
    ...member0Ports.map((port): Step => ({ code: JUMP_EQUAL, k: port, yes: 'first' })),
    { code: LOAD_HALF_INDEXED, k: NETWORK + 2 },
    ...member0Ports.map((port): Step => ({ code: JUMP_EQUAL, k: port, yes: 'first' })),
    // Both ports at once: each loses its lowest bit.
    { code: LOAD_WORD_INDEXED, k: NETWORK },
    { code: AND, k: 0xfffe_fffe | 0 },
    { code: SHIFT_RIGHT, k: 1 },
    { code: LOAD_STORED_X, k: 0 },
    { code: XOR_X },
    { code: STORE, k: 0 },
    // Folded: the addresses' upper half and the source port count as much as the rest.
    { code: SHIFT_RIGHT, k: 16 },
    { code: LOAD_STORED_X, k: 0 },
    { code: XOR_X },
    { code: AND, k: 0xffff },
    ...(members > 2 ? [{ code: MODULO, k: members - 1 }, { code: ADD, k: 1 }, { code: RETURN_A }] : []),
    { code: RETURN, k: members > 1 ? 1 : 0 },
    { label: 'first', code: RETURN, k: 0 },
  ]
  return assemble(steps)
}

function assemble(steps: readonly Step[]): Uint8Array {
  const places = new Map<string, number>()
  steps.forEach(({ label }, at) => {
    if (label !== undefined) places.set(label, at)
  })
  const little = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1
  const bytes = new Uint8Array(steps.length * 8)
  const view = new DataView(bytes.buffer)
  steps.forEach(({ code, k = 0, yes, no }, at) => {
    const distance = (label: string | undefined): number =>
      label === undefined ? 0 : (places.get(label) ?? at) - at - 1
    view.setUint16(at * 8, code, little)
    view.setUint8(at * 8 + 2, distance(yes))
    view.setUint8(at * 8 + 3, distance(no))
    view.setUint32(at * 8 + 4, k >>> 0, little)
  })
  return bytes
}
