import type { TraitCounts } from './finding-traits.js'

/** ln n! by Stirling's series, exact to 1e-9 from 10 on; below by the product. */
function lnFactorial(n: number): number {
  if (n < 10) {
    let product = 1
    for (let k = 2; k <= n; k++) product *= k
    return Math.log(product)
  }
  return (
    n * Math.log(n) -
    n +
    0.5 * Math.log(2 * Math.PI * n) +
    1 / (12 * n) -
    1 / (360 * n ** 3) +
    1 / (1260 * n ** 5)
  )
}

function lnChoose(n: number, k: number): number {
  return lnFactorial(n) - lnFactorial(k) - lnFactorial(n - k)
}

/**
 * How likely so many or more of the affected calls have the trait when it has nothing to do with it: Fisher's exact test,
 * one-sided (the tail of the hypergeometric distribution).
 */
export function chanceOf({ calls, ofCalls, affected, total }: TraitCounts): number {
  const all = lnChoose(total, affected)
  const most = Math.min(ofCalls, affected)
  let sum = 0
  for (let k = calls; k <= most; k++) {
    if (affected - k > total - ofCalls) continue
    sum += Math.exp(lnChoose(ofCalls, k) + lnChoose(total - ofCalls, affected - k) - all)
  }
  return Math.min(1, sum)
}
