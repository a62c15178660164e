import { readFileSync } from 'node:fs'
import type { CaptureBinding } from '../capture/ring/native.js'
import { CallprobeError, errorText } from '../errors.js'

/** Capability sets of this process as the kernel shows them, by name (CapEff, CapPrm, ...). */
export function capabilitySets(status = readStatus()): Record<string, bigint> {
  const sets: Record<string, bigint> = {}
  for (const [, name, bits] of status.matchAll(/^(Cap\w+):\s+([0-9a-f]+)$/gm))
    sets[name] = BigInt(`0x${bits}`)
  return sets
}

function readStatus(): string {
  try {
    return readFileSync('/proc/self/status', 'utf8')
  } catch {
    return ''
  }
}

/**
 * Gives up every capability, in all threads: the sockets are open, and nothing that reads packets needs more.
 * @throws CallprobeError CAPTURE_NOT_PERMITTED
 */
export function dropCapabilities(binding: CaptureBinding): void {
  if (binding.dropCapabilities()) return
  throw new CallprobeError(
    'CAPTURE_NOT_PERMITTED',
    'the capabilities could not be given up in every thread',
    { hint: 'please report it; --keep-privileges goes on with them' },
  )
}

/**
 * Becomes another user, which takes root's capabilities with it.
 * @throws CallprobeError CAPTURE_NOT_PERMITTED, USAGE
 */
export function becomeUser(user: string): void {
  const { setuid, setgid, setgroups, getuid } = process
  if (!setuid || !setgid || !setgroups || !getuid) return
  const [uid, gid] = accountOf(user)
  if (getuid.call(process) === uid) return
  try {
    setgroups.call(process, [gid])
    setgid.call(process, gid)
    setuid.call(process, uid)
  } catch (error) {
    throw new CallprobeError('CAPTURE_NOT_PERMITTED', `cannot become ${user}: ${errorText(error)}`, {
      hint: 'only root can; leave --user out, or start as that user with CAP_NET_RAW',
    })
  }
}

function accountOf(user: string): [uid: number, gid: number] {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((entry) => entry.startsWith(`${user}:`))
  const [, , uid, gid] = line?.split(':') ?? []
  if (uid !== undefined && gid !== undefined) return [Number(uid), Number(gid)]
  throw new CallprobeError('USAGE', `there is no user ${user}`, {
    hint: `make one: useradd --system --no-create-home ${user}`,
  })
}
