import assert from 'node:assert/strict'
import path from 'node:path'
import test from 'node:test'
import { Accounts } from '../../core/accounts/accounts'
import { Host } from '../../core/hosts/host'
import { forEachDatabase } from '../lib/databases'

const MIGRATIONS = path.resolve(__dirname, '../../core/accounts/migrations')

forEachDatabase((_, open) => {
  test('accounts are disabled and enabled, counted and listed so', async () => {
    const { database } = await open()
    await database.migrate('core_accounts', MIGRATIONS)
    const hosts = new Map(['capulet.lit', 'montague.lit'].map(name => [name, new Host(name, 'virtual')]))
    const accounts = new Accounts(
      database,
      Buffer.alloc(32),
      { get: name => hosts.get(name), all: () => hosts.values() },
      { passwordChanged: () => undefined }
    )
    for (const user of ['juliet', 'nurse', 'tybalt', 'peter'])
      await accounts.create(user, 'capulet.lit', 'pass')
    await accounts.create('tybalt', 'montague.lit', 'pass')

    const before = Date.now()
    assert.equal(await accounts.setDisabled('Tybalt', 'capulet.lit', true), true)
    assert.equal(await accounts.setDisabled('tybalt', 'capulet.lit', true), false)
    assert.equal(await accounts.setDisabled('peter', 'capulet.lit', true), true)
    assert.equal(await accounts.setDisabled('mercutio', 'capulet.lit', true), undefined)
    await assert.rejects(accounts.setDisabled('juliet', 'verona.lit', true), { code: 'ERR_ACCOUNT_HOST' })

    assert.equal(await accounts.count('capulet.lit'), 4)
    assert.equal(await accounts.count('capulet.lit', { disabled: true }), 2)
    assert.equal(await accounts.count('montague.lit', { disabled: true }), 0)
    const [first] = await accounts.list('capulet.lit', { limit: 1, disabled: true })
    assert.equal(first?.user, 'tybalt')
    assert.equal(first.place, await accounts.place('tybalt', 'capulet.lit'))
    const rest = await accounts.list('capulet.lit', { limit: 9, disabled: true, after: first.place })
    assert.deepEqual(
      rest.map(({ user }) => user),
      ['peter']
    )
    assert.equal(await accounts.place('mercutio', 'capulet.lit'), undefined)

    assert.equal((await accounts.find('tybalt', 'capulet.lit'))?.disabled, true)
    assert.equal(await accounts.checkPassword('tybalt', 'capulet.lit', 'pass'), false)
    assert.equal(await accounts.checkPassword('tybalt', 'montague.lit', 'pass'), true)
    assert.equal(accounts.disabledSince('tybalt', 'capulet.lit', before), true)
    assert.equal(accounts.disabledSince('tybalt', 'capulet.lit', Date.now() + 1), false)
    assert.equal(accounts.disabledSince('tybalt', 'montague.lit', before), false)

    assert.equal(await accounts.setDisabled('tybalt', 'capulet.lit', false), true)
    assert.equal(await accounts.setDisabled('tybalt', 'capulet.lit', false), false)
    assert.equal(await accounts.checkPassword('tybalt', 'capulet.lit', 'pass'), true)
    assert.equal(await accounts.count('capulet.lit', { disabled: true }), 1)
  })
})
