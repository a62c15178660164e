const MAX_PAIRS = 64

/**
 * Splits `KEY=value KEY="quoted value"` into pairs, keys in lower case. Values run into the next key where a sender
 * left the space out (`JBM=20JBX=240`), when that key is one of `known` (lower case).
 */
export function splitPairs(line: string, known: ReadonlySet<string>): [string, string][] {
  const pairs: [string, string][] = []
  const pattern = /([A-Za-z][\w-]*)[ \t]*=[ \t]*(?:"([^"]*)"?|(?![A-Za-z][\w-]*[ \t]*=)([^\s;]*))/g
  for (
    let match = pattern.exec(line);
    match !== null && pairs.length < MAX_PAIRS;
    match = pattern.exec(line)
  ) {
    const key = match[1].toLowerCase()
    const value = match[2] ?? match[3] ?? ''
    if (match[2] === undefined) addUnquoted(pairs, key, value, known)
    else pairs.push([key, value])
  }
  return pairs
}

function addUnquoted(
  pairs: [string, string][],
  key: string,
  value: string,
  known: ReadonlySet<string>,
): void {
  for (let equals = value.indexOf('='); equals >= 0 && pairs.length < MAX_PAIRS;) {
    const next = knownKeyBefore(value.slice(0, equals), known)
    if (next === '') {
      equals = value.indexOf('=', equals + 1)
      continue
    }
    pairs.push([key, value.slice(0, equals - next.length)])
    key = next
    value = value.slice(equals + 1)
    equals = value.indexOf('=')
  }
  pairs.push([key, value])
}

/** The longest known key that the text ends with, and that is not all of it. */
function knownKeyBefore(text: string, known: ReadonlySet<string>): string {
  for (let length = Math.min(12, text.length - 1); length > 0; length--) {
    const key = text.slice(text.length - length).toLowerCase()
    if (known.has(key)) return key
  }
  return ''
}
