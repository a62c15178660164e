/** Words of the methods and reason phrases of RFC 3261 and its extensions (IANA, "Session Initiation Protocol Parameters"). */
const WORDS = new Set(
  `INVITE ACK BYE CANCEL OPTIONS REGISTER PRACK SUBSCRIBE NOTIFY PUBLISH INFO REFER MESSAGE UPDATE
  trying ringing call is being forwarded queued session progress early dialog terminated ok accepted no notification
  multiple choices moved permanently temporarily use proxy alternative service bad request unauthorized payment required
  forbidden not found method allowed acceptable authentication timeout gone length conditional failed entity too large
  request-uri uri long unsupported media type scheme unknown resource-priority extension interval brief location information
  identity header provide referrer flow anonymity disallowed info invalid credential max-breadth exceeded first hop lacks
  outbound support consent needed temporarily unavailable transaction does exist loop detected many hops address incomplete
  ambiguous busy here terminated event pending undecipherable security agreement server internal error implemented gateway
  version supported message push service everywhere decline declined anywhere unwanted rejected cancelled completed`
    .toLowerCase()
    .split(/\s+/),
)

/** Whether a status line's phrase (its code in front or not), or a method, says nothing but what the standard does. */
export function isStandardPhrase(text: string): boolean {
  const words = text.toLowerCase().split(/[ /]+/)
  return words.every((word, place) => WORDS.has(word) || (place === 0 && /^[1-6][0-9]{2}$/.test(word)))
}
