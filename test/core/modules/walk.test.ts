import assert from 'node:assert/strict'
import test from 'node:test'
import { Host } from '../../../core/hosts/host'
import type { AdminAct } from '../../../core/modules/acts'
import type { AdhocCommand } from '../../../core/modules/adhoc'
import type { Role } from '../../../core/modules/server-api'
import { begin, goOn, newWalk, type Walk, type WalkStep } from '../../../core/modules/walk'
import { createLogger } from '../../../core/log'
import { StanzaError } from '../../../core/errors'
import { FormError, renderForm, type FormDef, type FormValues } from '../../../core/xml/form'

const FORM: FormDef = {
  fields: [
    { var: 'name', required: true },
    { var: 'word', type: 'text-private' }
  ]
}
const submit = (values: FormValues) => renderForm(FORM, values, 'submit')

interface Rig extends Walk {
  acts: AdminAct[]
  role: () => Role
}

function rig(command: Partial<AdhocCommand> = {}, role: () => Role = () => 'admin'): Rig {
  const host = new Host('localhost', 'virtual')
  const acts: AdminAct[] = []
  const owner = { module: 'test', host: 'localhost', begin: () => undefined, end: () => undefined }
  host.hooks.add(
    'admin/act',
    async (act: AdminAct) => {
      await Promise.resolve()
      acts.push(act)
    },
    owner
  )
  return {
    command: {
      node: 'urn:x#do',
      name: 'Do',
      access: 'admin',
      stages: [{ form: () => FORM }, { form: () => FORM }],
      finish: () => undefined,
      ...command
    },
    run: { requester: undefined, actor: 'local:root', role: 'operator', event: undefined, lang: undefined },
    host,
    log: createLogger({ level: 'fatal', format: 'json', destination: { write: () => undefined } }),
    state: newWalk(),
    role,
    acts
  }
}

const told = ({ acts }: Rig): string[] =>
  acts.map(({ by, command, result, detail }) => [by, command, result, detail].filter(Boolean).join(' '))

async function fault(step: Promise<WalkStep>): Promise<string | undefined> {
  const result = await step
  return result.status === 'executing' ? result.fault?.message : 'completed'
}

test('a walk of two stages: each act is told of once, before the answer', async () => {
  const walk = rig()
  assert.deepEqual(await begin(walk), {
    status: 'executing',
    form: { ...FORM, values: {} },
    prev: false,
    next: true
  })
  assert.equal(await fault(goOn(walk, 'next', submit({}))), 'name: a value is required')
  assert.equal(await fault(goOn(walk, 'execute', submit({ name: 'a' }))), undefined)
  assert.deepEqual(await goOn(walk, 'complete', submit({ name: 'b' })), { status: 'completed', result: {} })
  assert.deepEqual(told(walk), ['local:root do refused name: a value is required', 'local:root do done'])
})

test('what cannot be: no stage before the first, none behind the last, no end before it, no form', async () => {
  const walk = rig()
  await begin(walk)
  const bad = (reason: string) => ({ name: 'WalkError', reason })
  await assert.rejects(goOn(walk, 'prev', undefined), bad('bad-action'))
  await assert.rejects(goOn(walk, 'complete', submit({ name: 'a' })), bad('bad-action'))
  await assert.rejects(goOn(walk, 'next', undefined), bad('bad-payload'))
  await goOn(walk, 'next', submit({ name: 'a' }))
  await assert.rejects(goOn(walk, 'next', submit({ name: 'a' })), bad('bad-action'))
  assert.equal(walk.state.stage, 1)
})

test('the role is asked at every turn and once more before anything is done', async () => {
  let role: Role = 'admin'
  let finished = 0
  const command = {
    stages: [
      {
        form: () => FORM,
        check: () => {
          role = 'member'
        }
      }
    ],
    finish: () => void finished++
  }
  const walk = rig(command, () => role)
  await begin(walk)
  await assert.rejects(goOn(walk, 'complete', submit({ name: 'a' })), {
    condition: 'forbidden',
    why: 'needs the role admin, has member'
  })
  await assert.rejects(goOn(walk, 'complete', submit({ name: 'a' })), { condition: 'forbidden' })
  await assert.rejects(begin(rig({ access: 'operator' })), { has: 'admin', needs: 'operator' })
  assert.equal(finished, 0)
})

test('while the end is under way nobody comes along; a fault of the form at the end is none of the walk', async () => {
  let release = (): void => undefined
  const wait = new Promise<void>(resolve => (release = resolve))
  let tries = 0
  const walk = rig({
    stages: [{ form: () => FORM }],
    async finish() {
      if (++tries === 1) throw new FormError('is taken', 'name')
      await wait
    }
  })
  await begin(walk)
  assert.equal(await fault(goOn(walk, 'complete', submit({ name: 'a' }))), 'name: is taken')
  const end = goOn(walk, 'complete', submit({ name: 'b' }))
  await Promise.resolve()
  await new Promise(resolve => setImmediate(resolve))
  await assert.rejects(goOn(walk, 'complete', submit({ name: 'c' })), { reason: 'session-expired' })
  release()
  assert.equal((await end).status, 'completed')
  assert.equal(tries, 2)
})

test('what a command throws is told of by its condition; nothing of a password is', async () => {
  const failing = rig({
    stages: [],
    finish: () => {
      throw new StanzaError('conflict', 'is there')
    }
  })
  await assert.rejects(begin(failing), { condition: 'conflict' })
  const broken = rig({
    stages: [],
    finish: () => {
      throw new Error('the password is 123')
    }
  })
  await assert.rejects(begin(broken))
  const noted = rig({ stages: [], finish: () => ({ notes: [{ type: 'error', text: 'did not work' }] }) })
  await begin(noted)
  const secret = rig({
    stages: [
      {
        form: () => FORM,
        check: said => {
          throw new FormError(`${String(said.word)} is weak`, 'word')
        }
      }
    ]
  })
  await begin(secret)
  const step = await goOn(secret, 'complete', submit({ name: 'a', word: 'hunter2' }))
  assert.equal(step.status === 'executing' && step.form.values?.word, undefined)
  assert.deepEqual([failing, broken, noted, secret].flatMap(told), [
    'local:root do conflict is there',
    'local:root do failed',
    'local:root do failed did not work',
    'local:root do refused word: refused'
  ])
  const anybody = rig({ access: 'any', stages: [] }, () => 'none')
  await begin(anybody)
  assert.deepEqual(anybody.acts, [])
})

test('what does not keep an act does not undo it', async () => {
  const walk = rig({ stages: [] })
  const owner = { module: 'broken', host: 'localhost', begin: () => undefined, end: () => undefined }
  walk.host.hooks.add(
    'admin/act',
    () => {
      throw new Error('the disk is full')
    },
    owner,
    { priority: 1 }
  )
  assert.equal((await begin(walk)).status, 'completed')
})

test('two who get to the end together finish once', async () => {
  let finished = 0
  const walk = rig({
    stages: [{ form: () => FORM, check: () => new Promise(resolve => setImmediate(resolve)) }],
    async finish() {
      finished++
      await new Promise(resolve => setImmediate(resolve))
    }
  })
  await begin(walk)
  const ends = await Promise.allSettled([1, 2].map(() => goOn(walk, 'complete', submit({ name: 'a' }))))
  assert.deepEqual(ends.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  assert.equal(finished, 1)
})

test('a password in the wrong field is told to whoever typed it alone', async () => {
  const refuses = (value: string): string => {
    throw new Error(`cannot be ${JSON.stringify(value)}`)
  }
  const form: FormDef = {
    fields: [
      { var: 'account', check: refuses },
      { var: 'password', type: 'text-private' }
    ]
  }
  const plain: FormDef = { fields: [{ var: 'account', check: refuses }] }
  for (const [def, value, detail] of [
    [form, 'the-secret', 'account: refused'],
    [form, 'P@ssw0rd', 'account: refused'],
    [form, 'juliet@localhost/the-secret', 'account: refused'],
    [form, 'juliet@localhost', 'account: cannot be "juliet@localhost"'],
    [plain, 'anything', 'account: cannot be "anything"']
  ] as const) {
    const lines: string[] = []
    const walk = rig({ stages: [{ form: () => def }] })
    walk.log = createLogger({ format: 'json', destination: { write: line => lines.push(line) } })
    await begin(walk)
    const step = goOn(walk, 'complete', renderForm(def, { account: value, password: 'x' }, 'submit'))
    assert.equal(await fault(step), `account: cannot be ${JSON.stringify(value)}`)
    assert.deepEqual(told(walk), [`local:root do refused ${detail}`])
    assert.deepEqual(
      lines.map(line => (JSON.parse(line) as { detail: string }).detail),
      [detail]
    )
  }
  const required = rig({
    stages: [{ form: () => ({ fields: [{ var: 'account', required: true }, ...form.fields] }) }]
  })
  await begin(required)
  assert.equal(await fault(goOn(required, 'complete', submit({ name: 'x' }))), 'account: a value is required')
  assert.deepEqual(told(required), ['local:root do refused account: a value is required'])
})
