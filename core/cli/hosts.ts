import type { Backend } from './backend'
import { Failure } from './exit'
import { counted, print, table } from './output'
import type { PlaceOptions } from './place'
import { askAndDo, mustBeSure } from './users'

/** Deletes what is left of a host that was taken out of the config. */
export async function purgeHost(name: string, options: PlaceOptions & { yes?: boolean }): Promise<void> {
  let shown = false
  await askAndDo(options, {
    command: 'host purge',
    async check(backend) {
      const left = await leftOf(backend, name)
      if (!shown) print(left)
      shown = true
    },
    ask: () => mustBeSure(`Delete everything that is left of ${name}, accounts included, for good?`, options),
    async act(backend) {
      const { accounts, rows } = (await backend.call('host.purge', { host: name })) as {
        accounts: number
        rows: number
      }
      print(`${name} was purged: ${counted(accounts, 'account')}, ${counted(rows, 'further row')}.`)
    }
  })
}

/** As a table; throws where there is nothing. */
async function leftOf(backend: Backend, name: string): Promise<string> {
  const left = (await backend.call('host.left', { host: name })) as { table: string; rows: number }[]
  if (left.length === 0) throw new Failure(`Nothing is left of ${name}.`)
  return table(
    ['TABLE', 'ROWS'],
    left.map(one => [one.table, String(one.rows)])
  )
}
