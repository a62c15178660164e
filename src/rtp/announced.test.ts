import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { propertyRuns } from '../../test/helpers/property-runs.js'
import { AnnouncedEndpoints } from './announced.js'

describe('announced endpoints', () => {
  it('are there as long as one announcement of them holds', () => {
    const endpoint = fc.record({ address: fc.nat(5), port: fc.nat(5) })
    const step = fc.record({ add: fc.boolean(), endpoint })
    const announced = new AnnouncedEndpoints()
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const held = new Map<string, number>()
        for (const { add, endpoint } of steps) {
          const key = `${endpoint.address} ${endpoint.port}`
          const count = held.get(key) ?? 0
          if (add) {
            announced.add(endpoint.address, 0, 0, 0, endpoint.port)
            held.set(key, count + 1)
          } else if (count > 0) {
            announced.remove(endpoint.address, 0, 0, 0, endpoint.port)
            held.set(key, count - 1)
          }
        }
        for (let address = 0; address <= 5; address++) {
          for (let port = 0; port <= 5; port++) {
            const count = held.get(`${address} ${port}`) ?? 0
            expect(announced.has(address, 0, 0, 0, port)).toBe(count > 0)
            for (let k = 0; k < count; k++) announced.remove(address, 0, 0, 0, port)
          }
        }
      }),
      propertyRuns(200),
    )
    expect(announced.overflow).toBe(0)
  })

  it('100,000 of them come and go, IPv6 too, and none is mistaken for another', () => {
    const announced = new AnnouncedEndpoints()
    const each = (act: (w0: number, w3: number, port: number, k: number) => void): void => {
      for (let k = 0; k < 100_000; k++) act(0x20010db8, Math.imul(k, 0x01000193), 10_000 + (k % 5000) * 2, k)
    }
    each((w0, w3, port) => announced.add(w0, 1, 2, w3, port))
    let wrong = 0
    each((w0, w3, port) => {
      if (!announced.has(w0, 1, 2, w3, port)) wrong++
      if (announced.has(w0, 1, 2, w3, port + 1)) wrong++
      if (announced.has(w0, 2, 1, w3, port)) wrong++
    })
    each((w0, w3, port, k) => {
      if (k % 2 === 0) announced.remove(w0, 1, 2, w3, port)
    })
    each((w0, w3, port, k) => {
      if (announced.has(w0, 1, 2, w3, port) !== (k % 2 === 1)) wrong++
    })
    each((w0, w3, port, k) => {
      if (k % 2 === 1) announced.remove(w0, 1, 2, w3, port)
    })
    each((w0, w3, port) => {
      if (announced.has(w0, 1, 2, w3, port)) wrong++
    })
    expect(wrong).toBe(0)
  })

  it('beyond 131,072 are counted, and those before them stay', () => {
    const announced = new AnnouncedEndpoints()
    for (let k = 0; k < 131_072 + 10; k++) announced.add(k, 0, 0, 0, 4000)
    expect(announced.overflow).toBe(10)
    expect(announced.has(0, 0, 0, 0, 4000)).toBe(true)
    expect(announced.has(131_071, 0, 0, 0, 4000)).toBe(true)
    expect(announced.has(131_072, 0, 0, 0, 4000)).toBe(false)
    announced.remove(5, 0, 0, 0, 4000)
    announced.add(131_072, 0, 0, 0, 4000)
    expect(announced.has(131_072, 0, 0, 0, 4000)).toBe(true)
  })
})
