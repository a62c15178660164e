import type { StreamEntry } from './stream-entry.js'

/** The streams of one end: mostly one, and then without a set around it. */
type Some = StreamEntry | Set<StreamEntry>

/** Streams that no signalling explains, by either end: to pair the directions of a call, and for SDP that comes late. */
export class UnboundStreams {
  private readonly bySource = new Map<string, Some>()
  private readonly byDestination = new Map<string, Some>()

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
    for (const other of streamsOf(this.bySource.get(destination))) {
      if (destinationKey(other) === source) return other
    }
    for (const other of streamsOf(this.bySource.get(source))) {
      if (other !== stream && destinationKey(other) === destination) return other
    }
    return undefined
  }

  /** Streams from or to an address and port. */
  at(address: string, port: number): StreamEntry[] {
    const key = `${address} ${port}`
    return [...streamsOf(this.bySource.get(key)), ...streamsOf(this.byDestination.get(key))]
  }
}

function sourceKey(stream: StreamEntry): string {
  return `${stream.sourceAddress} ${stream.identity.sourcePort}`
}

function destinationKey(stream: StreamEntry): string {
  return `${stream.destinationAddress} ${stream.identity.destinationPort}`
}

function streamsOf(some: Some | undefined): Iterable<StreamEntry> {
  if (some === undefined) return []
  return some instanceof Set ? some : [some]
}

function addTo(map: Map<string, Some>, key: string, stream: StreamEntry): void {
  const some = map.get(key)
  if (some instanceof Set) some.add(stream)
  else if (some === undefined) map.set(key, stream)
  else if (some !== stream) map.set(key, new Set([some, stream]))
}

function removeFrom(map: Map<string, Some>, key: string, stream: StreamEntry): void {
  const some = map.get(key)
  if (some === stream) map.delete(key)
  else if (some instanceof Set && some.delete(stream) && some.size === 0) map.delete(key)
}
