import { Option } from 'commander'
import type { ReportText } from '../report/report-text.js'
import type { RunPrivacy } from './privacy.js'

const REPORT_SIP = ['none', 'redacted', 'full'] as const
/** Raw SIP in the report: left out, without secrets, or as it was. */
export type ReportSip = (typeof REPORT_SIP)[number]

export function reportSipOption(): Option {
  return new Option(
    '--report-sip <what>',
    'raw SIP in the report: none, redacted (no keys, credentials, dialled digits), full; default: redacted, and none under --privacy',
  ).choices(REPORT_SIP)
}

/** What of texts outside records the report may show. Under a privacy mode raw SIP is shown only when asked for. */
export function reportText(privacy: RunPrivacy, asked: ReportSip | undefined): ReportText {
  const what = asked ?? (privacy.mode === 'none' ? 'redacted' : 'none')
  return {
    mode: privacy.mode,
    sip: { what, pseudonyms: privacy.pseudonyms },
    text: (text) => privacy.text(text),
    phrase: (text) => privacy.phrase(text),
    address: (text) => privacy.address(text),
  }
}
