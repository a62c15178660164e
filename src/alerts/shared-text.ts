import type { GroupValue } from '../aggregates/finding-calls.js'
import { traitText } from '../aggregates/finding-traits.js'
import type { SharedTraits } from './reading.js'

/** "14 of 15 bad calls cross trunk carrier-a since 18:02 (14 of 54 calls there, 1 of 81 elsewhere)" */
export function sharedText({ groups: [group], isHere }: SharedTraits): string {
  return `${group.calls} of ${group.calls + group.calls_elsewhere} bad calls${isHere ? ' here' : ''} ${traitText(group)}`
}

const NAMES: Partial<Record<GroupValue['dimension'], string>> = {
  user_agent: 'user agent',
  dscp: 'DSCP class',
}

/** A trait as a place of trouble: "trunk carrier-a", "user agent ExamplePhone 1.0", "berlin → hamburg". */
export function traitName({ dimension, value }: GroupValue): string {
  return dimension === 'site_pair' ? value : `${NAMES[dimension] ?? dimension} ${value}`
}
