/** PDV over this is a queue, when it stays there for QUEUEING_MS (DESIGN: section 3). */
export const QUEUE_PDV_MS = 40
export const QUEUEING_MS = 500

/** Media that ends this long before BYE has stopped. */
export const STOPPED_MS = 5000
