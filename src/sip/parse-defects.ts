/** What the parsers tolerate and note in `defects`. The names are public: add, do not rename. */
export const SIP_DEFECTS = {
  junk_before_start_line: 'bytes that are not SIP precede the start line',
  bare_line_feeds: 'lines end in LF alone',
  headers_not_terminated: 'no empty line ends the headers (cut packet?)',
  start_line_spacing: 'white space around or within the start line other than single spaces',
  unknown_sip_version: 'the SIP version is not 2.0',
  request_uri_brackets: 'the Request-URI stands in angle brackets',
  request_uri_spaces: 'the Request-URI contains white space',
  request_uri_headers: 'the Request-URI carries header fields',
  status_without_space: 'no space between status code and reason',
  header_without_colon: 'a header line without a colon',
  header_bad_name: 'a header name with characters that no name may have',
  too_many_headers: 'more header lines than are read',
  repeated_header: 'a header that may occur once occurs several times',
  sequence_out_of_range: 'the CSeq number does not fit 32 bits',
  cseq_method_mismatch: 'CSeq names another method than the request line',
  max_forwards_out_of_range: 'Max-Forwards is not a number from 0 to 255',
  bad_date: 'Date is not in GMT',
  via_missing: 'no Via header',
  branch_empty: 'the Via branch is empty or only the magic cookie',
  content_length_invalid: 'Content-Length is not a number',
  content_length_conflict: 'several Content-Length headers disagree',
  content_length_too_large: 'Content-Length is larger than the body that follows',
  content_length_too_small: 'Content-Length is smaller than the body that follows',
  body_cut: 'the body is larger than is read',
  body_without_content_type: 'a body without Content-Type',
  body_encoded: 'a body with a content encoding that is not decoded',
  multipart_malformed: 'a multipart body whose boundaries or headers are wrong or nest too deep',
  bad_uri: 'From, To or Contact without a valid URI',
  uri_spaces: 'white space within a URI',
  uri_not_bracketed: 'a URI that needs angle brackets has none',
  bracket_not_closed: 'an angle bracket is not closed',
  quote_not_closed: 'a quoted string is not closed',
  display_name_not_quoted: 'a display name that needs quotes has none',
  empty_parameter: 'superfluous separators between parameters',
} as const

export type SipDefect = keyof typeof SIP_DEFECTS

/** A set of defects in order of discovery, bounded by the number of kinds. */
export class DefectList {
  readonly codes: SipDefect[] = []

  add(code: SipDefect): void {
    if (!this.codes.includes(code)) this.codes.push(code)
  }
}
