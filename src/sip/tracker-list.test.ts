import { describe, expect, it } from 'vitest'
import { TimedList, type TimedNode } from './tracker-list.js'

class Item implements TimedNode<Item> {
  previous: Item | undefined
  next: Item | undefined
  list: TimedList<Item> | undefined
  listedMs = 0
  constructor(readonly name: string) {}
}

function names(list: TimedList<Item>): string {
  let text = ''
  for (let item = list.first; item; item = item.next) text += item.name
  let back = ''
  for (let item = list.last; item; item = item.previous) back = item.name + back
  expect(back).toBe(text)
  expect(list.size).toBe(text.length)
  return text
}

describe('a list of things with the same delay', () => {
  it('keeps the order of appending through removals at both ends and in the middle', () => {
    const list = new TimedList<Item>(10)
    const items = ['a', 'b', 'c', 'd', 'e'].map((name) => new Item(name))
    items.forEach((item, index) => list.append(item, index))
    list.remove(items[2])
    expect(names(list)).toBe('abde')
    list.remove(items[0])
    list.remove(items[4])
    expect(names(list)).toBe('bd')
    list.append(items[1], 9)
    expect(names(list)).toBe('db')
  })

  it('an item is in one list at a time, and removing it from another does nothing', () => {
    const [first, second] = [new TimedList<Item>(10), new TimedList<Item>(20)]
    const item = new Item('a')
    first.append(item, 0)
    second.append(item, 1)
    first.remove(item)
    expect([names(first), names(second)]).toEqual(['', 'a'])
  })

  it('the first item is due when its delay has passed since it was appended', () => {
    const list = new TimedList<Item>(10)
    const item = new Item('a')
    list.append(item, 100)
    expect(list.due(109)).toBeUndefined()
    expect(list.due(110)).toBe(item)
    list.rebase(50)
    expect(list.due(59)).toBeUndefined()
    expect(list.due(60)).toBe(item)
  })
})
