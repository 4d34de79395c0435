import { anyServer, liveServer, type Backend } from './backend'
import { Failure } from './exit'
import { printError, print } from './output'
import { openOwnServer } from './own-server'
import { askPassword, confirm } from './password'
import type { PlaceOptions } from './place'

export async function addUser(jid: string, options: PlaceOptions): Promise<void> {
  await askAndDo(options, {
    command: 'user add',
    async check(backend) {
      if (await backend.call('user.exists', { jid })) throw new Failure(`${jid} exists already.`)
    },
    ask: () => askPassword(`Password for ${jid}`),
    async act(backend, password) {
      await backend.call('user.add', { jid, password })
      print(`${jid} was added.`)
    }
  })
}

export async function deleteUser(jid: string, options: PlaceOptions & { yes?: boolean }): Promise<void> {
  await askAndDo(options, {
    command: 'user delete',
    check: backend => mustExist(backend, jid),
    ask: () => mustBeSure(`Delete ${jid} with everything that is its, for good?`, options),
    async act(backend) {
      await backend.call('user.delete', { jid })
      print(`${jid} was deleted.`)
    }
  })
}

export async function changePassword(jid: string, options: PlaceOptions): Promise<void> {
  await askAndDo(options, {
    command: 'user password',
    check: backend => mustExist(backend, jid),
    ask: () => askPassword(`New password for ${jid}`),
    async act(backend, password) {
      await backend.call('user.password', { jid, password })
      print(`${jid} has a new password.`)
    }
  })
}

/** Throws unless the answer is yes. */
export async function mustBeSure(question: string, { yes }: { yes?: boolean }): Promise<void> {
  const sure = yes || (await confirm(question))
  if (sure === undefined)
    throw new Failure('Nothing was deleted: there is no terminal to ask for sure on; --yes does not ask.')
  if (!sure) throw new Failure('Nothing was deleted.')
}

async function mustExist(backend: Backend, jid: string): Promise<void> {
  if (!(await backend.call('user.exists', { jid }))) throw new Failure(`There is no account ${jid}.`)
}

export interface Question<T> {
  command: string
  /** Throws where there is no point in asking. */
  check(backend: Backend): Promise<void>
  ask(): Promise<T>
  act(backend: Backend, answer: T): Promise<void>
}

/** A running server is asked before the person is; nobody sits at a prompt with the lock of the database in hand. */
export async function askAndDo<T>(
  options: PlaceOptions,
  { command, check, ask, act }: Question<T>
): Promise<void> {
  const live = await liveServer(options)
  if (live) await check(live)
  const answer = await ask()
  await withAccounts(options, command, async backend => {
    await check(backend)
    await act(backend, answer)
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
