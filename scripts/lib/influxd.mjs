import { spawn } from 'node:child_process'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { findProgram } from './programs.mjs'

function freePort() {
  return new Promise((done) => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => done(port))
    })
  })
}

/**
 * An influxd of one's own on 127.0.0.1, its data in FOLDER/influx; the caller kills the child.
 * @returns {Promise<{child: import('node:child_process').ChildProcess, url: string}>} when it answers
 */
export async function startInfluxd(folder) {
  const url = `http://127.0.0.1:${await freePort()}`
  const child = spawn(findProgram('influxd'), ['-config', '/dev/null'], {
    stdio: 'ignore',
    env: {
      ...process.env,
      INFLUXDB_REPORTING_DISABLED: 'true',
      INFLUXDB_BIND_ADDRESS: `127.0.0.1:${await freePort()}`,
      INFLUXDB_HTTP_BIND_ADDRESS: new URL(url).host,
      INFLUXDB_META_DIR: join(folder, 'influx/meta'),
      INFLUXDB_DATA_DIR: join(folder, 'influx/data'),
      INFLUXDB_DATA_WAL_DIR: join(folder, 'influx/wal'),
      INFLUXDB_MONITOR_STORE_ENABLED: 'false',
    },
  })
  for (let attempt = 0; attempt < 300; attempt++) {
    const answer = await fetch(`${url}/ping`).catch(() => undefined)
    if (answer?.ok) return { child, url }
    await new Promise((next) => setTimeout(next, 100))
  }
  child.kill()
  throw new Error('influxd did not start')
}
