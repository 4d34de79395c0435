import { anyServer, type Backend } from './backend'
import { Failure } from './exit'
import { printError, print } from './output'
import { openOwnServer } from './own-server'
import { askPassword, confirm } from './password'
import type { PlaceOptions } from './place'

export async function addUser(jid: string, options: PlaceOptions): Promise<void> {
  await withAccounts(options, 'user add', async backend => {
    // Before a password is asked for
    if (await backend.call('user.exists', { jid })) throw new Failure(`${jid} exists already.`)
    const password = await askPassword(`Password for ${jid}`)
    await backend.call('user.add', { jid, password })
    print(`${jid} was added.`)
  })
}

export async function deleteUser(jid: string, options: PlaceOptions & { yes?: boolean }): Promise<void> {
  await withAccounts(options, 'user delete', async backend => {
    if (!(await backend.call('user.exists', { jid }))) throw new Failure(`There is no account ${jid}.`)
    const sure = options.yes || (await confirm(`Delete ${jid} with everything that is its, for good?`))
    if (!sure) throw new Failure('Nothing was deleted.')
    await backend.call('user.delete', { jid })
    print(`${jid} was deleted.`)
  })
}

export async function changePassword(jid: string, options: PlaceOptions): Promise<void> {
  await withAccounts(options, 'user password', async backend => {
    if (!(await backend.call('user.exists', { jid }))) throw new Failure(`There is no account ${jid}.`)
    const password = await askPassword(`New password for ${jid}`)
    await backend.call('user.password', { jid, password })
    print(`${jid} has a new password.`)
  })
}

export async function listUsers(host: string | undefined, options: PlaceOptions): Promise<void> {
  await withAccounts(options, 'user list', async backend => {
    let any = false
    await backend.call('user.list', host === undefined ? {} : { host }, line => {
      any = true
      print(line)
    })
    if (!any) printError('There is no account yet.')
  })
}

async function withAccounts(
  options: PlaceOptions,
  command: string,
  fn: (backend: Backend) => Promise<void>
): Promise<void> {
  const backend = await anyServer(options, command, openOwnServer)
  try {
    await fn(backend)
  } finally {
    await backend.close()
  }
}
