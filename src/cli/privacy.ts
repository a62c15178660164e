import { Option } from 'commander'
import type { ProbeRecord } from '../calls/records.js'
import { PRIVACY_MODES, type Config, type PrivacyMode } from '../config/config.js'
import { KeyedHash } from '../privacy/keyed-hash.js'
import { loadPrivacyKey } from '../privacy/privacy-key.js'
import { Pseudonyms, type HidingMode } from '../privacy/pseudonyms.js'
import { RecordPrivacy } from '../privacy/record-privacy.js'
import { isStandardPhrase } from '../privacy/standard-phrases.js'
import type { Expression } from './expression.js'

export interface PrivacyOptions {
  privacy?: PrivacyMode
  privacyKey?: string
}

/** `--privacy`, for every command that writes records. */
export function privacyOption(): Option {
  return new Option(
    '--privacy <mode>',
    'numbers, names and addresses in every output: as they are, masked, or as keyed pseudonyms',
  ).choices(PRIVACY_MODES)
}

/** `--privacy-key`, beside it. */
export function privacyKeyOption(): Option {
  return new Option(
    '--privacy-key <file>',
    'key of the pseudonyms (else CALLPROBE_PRIVACY_KEY, else your own)',
  )
}

/** Stands between a run's records and its outputs: what they get has been through it. */
export interface RunPrivacy {
  readonly mode: PrivacyMode
  /** The record as it may be shown; the record itself when the mode is `none`. */
  record<T extends ProbeRecord>(record: T): T
  /** The same condition for records that were through `record`: it is put to their true values. */
  filter(filter: Expression | undefined): Expression | undefined
  /** A sentence for the outputs that is no field of a record. */
  text(text: string): string
  /** A phrase that a party sent. */
  phrase(text: string): string
  /** An address, without port. */
  address(text: string): string
  /** What pseudonyms are made with, for work on another thread; absent when the mode is `none`. */
  readonly pseudonyms?: { mode: HidingMode; key: Uint8Array }
}

/**
 * The privacy that options and configuration ask for; the option counts more.
 * @throws CallprobeError PRIVACY_KEY
 */
export function openPrivacy(config: Config, options: PrivacyOptions): RunPrivacy {
  const mode = options.privacy ?? config.privacy
  if (mode === 'none') return OPEN
  const key = openKey(config, options)
  const names = new Pseudonyms(mode, new KeyedHash(key))
  const records = new RecordPrivacy(names)
  const truth = new WeakMap<ProbeRecord, ProbeRecord>()
  return {
    mode,
    record: (record) => {
      const shown = records.record(record)
      truth.set(shown, record)
      return shown
    },
    filter: (filter) =>
      filter && {
        ...filter,
        test: (shown) => {
          const record = truth.get(shown)
          return filter.test(record?.type === 'call' ? record : shown)
        },
      },
    text: (text) => records.text(text),
    phrase: (text) => (isStandardPhrase(text) ? text : records.phrase(text)),
    address: (text) => names.address(text) ?? names.host(text),
    pseudonyms: { mode, key },
  }
}

/** The pseudonyms of a mode, with their key. */
export function openPseudonyms(
  mode: 'mask' | 'hash',
  config: Pick<Config, 'privacy_key_file'>,
  options: PrivacyOptions,
): Pseudonyms {
  return new Pseudonyms(mode, new KeyedHash(openKey(config, options)))
}

function openKey(config: Pick<Config, 'privacy_key_file'>, options: PrivacyOptions): Uint8Array {
  return loadPrivacyKey({
    file: options.privacyKey ?? config.privacy_key_file,
    environment: process.env,
    onCreated: (path) =>
      process.stderr.write(
        `callprobe: made a key for pseudonyms, ${path}: keep it, or the next pseudonyms will be others\n`,
      ),
  })
}

const OPEN: RunPrivacy = {
  mode: 'none',
  record: (record) => record,
  filter: (filter) => filter,
  text: (text) => text,
  phrase: (text) => text,
  address: (text) => text,
}
