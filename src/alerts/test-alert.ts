import { RECORD_SCHEMA, type AlertRecord } from '../calls/records.js'

/** What `callprobe alerts test` sends: an alert that says that it is none, and its end. */
export function testAlerts(probe: string, nowMs: number): [AlertRecord, AlertRecord] {
  const time = new Date(nowMs).toISOString()
  const firing: AlertRecord = {
    type: 'alert',
    schema: RECORD_SCHEMA,
    probe,
    alert_id: `test-${nowMs}`,
    rule: 'test',
    state: 'firing',
    severity: 'info',
    time,
    start: time,
    path: 'nowhere → nobody',
    message: `Test of ${probe}: alerts of this probe reach you. Nothing is wrong`,
  }
  return [firing, { ...firing, state: 'resolved', end: time, message: `Over: test of ${probe}` }]
}
