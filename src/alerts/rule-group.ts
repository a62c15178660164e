import type { AlertRule } from '../config/alerts.js'
import { Episode, type EpisodeTimes } from './episode.js'
import type { OpenAlert } from './open-alert.js'
import { ProbeGroup } from './probe-group.js'
import type { RuleGroup } from './reading.js'
import { SampleGroup } from './sample-group.js'
import { SharedGroup } from './shared-group.js'
import { StreamGroup } from './stream-group.js'
import type { CommonTags } from './tags.js'

/** What a rule groups by (a path, a trunk, the probe): its window, and whether it is in trouble. */
export class Group {
  readonly samples: RuleGroup
  readonly episode: Episode
  /** The condition holds, whether it was raised yet or not. */
  isBad = false
  alert?: OpenAlert
  /** Raised beyond `max_open`: part of the one alert for many. */
  isOneOfMany = false

  constructor(
    readonly key: string,
    /** What all its samples have in common, by what the rule groups by. */
    readonly tags: CommonTags,
    rule: AlertRule,
  ) {
    this.samples = samplesOf(rule)
    this.episode = new Episode(timesOf(rule))
  }
}

export function timesOf({ for_s, clear_after_s, cooldown_s }: AlertRule): EpisodeTimes {
  return { forMs: for_s * 1000, clearAfterMs: clear_after_s * 1000, cooldownMs: cooldown_s * 1000 }
}

function samplesOf(rule: AlertRule): RuleGroup {
  if (rule.over === 'probe') return new ProbeGroup(rule)
  if (rule.measure === 'shared_percent') return new SharedGroup(rule)
  const countsStreams = rule.measure === 'share_percent' || rule.measure === 'count'
  return rule.over === 'seconds' && countsStreams ? new StreamGroup(rule) : new SampleGroup(rule)
}
