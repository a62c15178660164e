import type { StreamEntry } from './stream-entry.js'

/** Streams that no signalling explains, by either end: to pair the directions of a call, and for SDP that comes late. */
export class UnboundStreams {
  private readonly bySource = new Map<string, Set<StreamEntry>>()
  private readonly byDestination = new Map<string, Set<StreamEntry>>()

  add(stream: StreamEntry): void {
    addTo(this.bySource, sourceKey(stream), stream)
    addTo(this.byDestination, destinationKey(stream), stream)
  }

  remove(stream: StreamEntry): void {
    removeFrom(this.bySource, sourceKey(stream), stream)
    removeFrom(this.byDestination, destinationKey(stream), stream)
  }

  /** Another stream between the same two ends, either way. */
  partner(stream: StreamEntry): StreamEntry | undefined {
    const source = sourceKey(stream)
    const destination = destinationKey(stream)
    for (const other of this.bySource.get(destination) ?? []) {
      if (destinationKey(other) === source) return other
    }
    for (const other of this.bySource.get(source) ?? []) {
      if (other !== stream && destinationKey(other) === destination) return other
    }
    return undefined
  }

  /** Streams from or to an address and port. */
  at(address: string, port: number): StreamEntry[] {
    const key = `${address} ${port}`
    return [...(this.bySource.get(key) ?? []), ...(this.byDestination.get(key) ?? [])]
  }
}

function sourceKey(stream: StreamEntry): string {
  return `${stream.sourceAddress} ${stream.identity.sourcePort}`
}

function destinationKey(stream: StreamEntry): string {
  return `${stream.destinationAddress} ${stream.identity.destinationPort}`
}

function addTo(map: Map<string, Set<StreamEntry>>, key: string, stream: StreamEntry): void {
  const streams = map.get(key)
  if (streams) streams.add(stream)
  else map.set(key, new Set([stream]))
}

function removeFrom(map: Map<string, Set<StreamEntry>>, key: string, stream: StreamEntry): void {
  const streams = map.get(key)
  if (!streams?.delete(stream)) return
  if (streams.size === 0) map.delete(key)
}
