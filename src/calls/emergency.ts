import type { SipCall } from '../sip/call.js'

/** Whether the call goes to a configured emergency number, or to urn:service:sos (RFC 5031). */
export function isEmergency(
  { callee, calleeUri }: Pick<SipCall, 'callee' | 'calleeUri'>,
  numbers: ReadonlySet<string>,
): boolean {
  return numbers.has(callee) || /^urn:service:sos(?:[.;]|$)/i.test(calleeUri)
}
