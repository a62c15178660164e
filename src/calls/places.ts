import type { Config } from '../config/config.js'
import type { NameMap } from '../config/networks.js'
import type { CallEntry } from './call-entry.js'
import type { CallRecord } from './records.js'
import type { StreamEntry } from './stream-entry.js'

/** What names sites and trunks. */
export interface PlaceContext {
  config: Config
  names: NameMap
}

type Places = Pick<CallRecord, 'caller_site' | 'callee_site' | 'trunk'>

/** Site and trunk names, when the configuration has any: by signalling addresses, without signalling by the media's. */
export function placesOf(call: CallEntry, { config, names }: PlaceContext): Places {
  const { sip } = call
  const [caller, callee] = sip
    ? [sip.callerSignalling.address, sip.calleeSignalling.address]
    : mediaAddresses(call)
  const vlan = sip?.vlan ?? mediaStream(call)?.vlan ?? -1
  const [callerRealm, calleeRealm] =
    sip && names.usesRealms ? [realmOf(sip.callerUri), realmOf(sip.calleeUri)] : ['', '']
  const places: Places = {}
  if (config.sites.length > 0) {
    if (caller !== undefined) places.caller_site = names.siteOf(caller, vlan, callerRealm)
    if (callee !== undefined) places.callee_site = names.siteOf(callee, vlan, calleeRealm)
  }
  if (config.trunks.length > 0) {
    places.trunk =
      (callee !== undefined ? names.trunkOf(callee, vlan, calleeRealm) : undefined) ??
      (caller !== undefined ? names.trunkOf(caller, vlan, callerRealm) : undefined)
  }
  return places
}

/** Host of a SIP URI, '' when there is none. */
export function realmOf(uri: string): string {
  return /^sips?:(?:[^@]*@)?(\[[^\]]*\]|[^:;?>]+)/i.exec(uri)?.[1] ?? ''
}

function mediaStream(call: CallEntry): StreamEntry | undefined {
  return [...call.streams][0] ?? call.lastStream
}

/** Addresses of media without signalling; the first sender is the caller. */
export function mediaAddresses(call: CallEntry): [caller: string | undefined, callee: string | undefined] {
  const stream = mediaStream(call)
  return stream?.direction === 'from_callee'
    ? [stream.destinationAddress, stream.sourceAddress]
    : [stream?.sourceAddress, stream?.destinationAddress]
}
