import { existsSync } from 'node:fs'
import { expect, it, type TestContext } from 'vitest'
import { inNamespaces, requireLive, type Namespaces } from './helpers/live.js'

it.skipIf(!requireLive())(
  'a test that does not come to its end leaves no process and no namespace, and starts nothing more',
  async (context) => {
    const finished: (() => unknown)[] = []
    const own: TestContext = Object.create(context, {
      onTestFinished: { value: (hook: () => unknown) => finished.push(hook) },
    })
    let used: Namespaces | undefined
    let pid = NaN
    let name = ''
    void inNamespaces((namespaces) => {
      used = namespaces
      name = namespaces.add()
      pid = namespaces.start(name, ['sleep', '600']).pid ?? NaN
      return new Promise(() => {})
    })(own)
    expect(existsSync(`/run/netns/${name}`)).toBe(true)
    expect(existsSync(`/proc/${pid}`)).toBe(true)
    // As the runner does after a timeout.
    for (const hook of finished) await hook()
    await expect.poll(() => existsSync(`/proc/${pid}`)).toBe(false)
    expect(existsSync(`/run/netns/${name}`)).toBe(false)
    expect(() => used?.start(name, ['sleep', '600'])).toThrow('the test is over')
    expect(() => used?.add()).toThrow('the test is over')
  },
)
