// time limit: 300 s
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test from 'node:test'
import type { TestContext } from 'node:test'
import { ScriptedServer } from '../lib/component'
import { spawnTestServer } from '../lib/spawn'
import { Editions } from '../reliability/lib/editions'
import { allModules, everything } from '../reliability/lib/everything'
import { Inside, PROBED } from '../reliability/lib/inside'

const PYTHON = '/usr/bin/python3' // Debian's slixmpp belongs to Debian's Python
const PASSWORDS = { 'juliet@localhost': 'a password of juliet’s', 'romeo@localhost': 'a password of romeo’s' }

/** Two people in a process of real clients, who chat without a pause until they are told to stop. */
class RealDialogue {
  #said = 0
  #disorder = ''
  /** What the clients' library says, of which not all is trouble. */
  #stderr = ''
  #wake: (() => void) | undefined
  readonly #ended: Promise<unknown[]>

  constructor(
    readonly child: ChildProcessWithoutNullStreams,
    settings: object
  ) {
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      for (const line of lines) {
        const number = Number(/^said (\d+)$/.exec(line)?.[1])
        if (number !== this.#said + 1) this.#disorder += `${line} after ${this.#said}\n`
        this.#said = number
      }
      this.#wake?.()
    })
    child.stderr.on('data', (chunk: Buffer) => (this.#stderr += chunk.toString()))
    child.stdin.on('error', () => undefined)
    child.stdin.write(`${JSON.stringify(settings)}\n`)
    this.#ended = once(child, 'close')
    void this.#ended.then(() => this.#wake?.())
  }

  get said(): number {
    return this.#said
  }

  /** Waits until so many more numbers have been said and heard. */
  async goesOn(count = 4): Promise<void> {
    const wanted = this.#said + count
    while (this.#said < wanted) {
      assert.ok(
        this.child.exitCode === null && this.child.signalCode === null,
        `they have ended:\n${this.#stderr}`
      )
      await new Promise<void>(resolve => {
        this.#wake = resolve
      })
    }
    assert.equal(this.#disorder, '')
  }

  async ends(): Promise<void> {
    this.child.stdin.end()
    const [code] = await this.#ended
    assert.equal(code, 0, this.#stderr)
  }
}

async function swapUnder(t: TestContext, command: string, args: string[], tls: boolean): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-editions-'))
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  const editions = new Editions(folder)
  const upstream = await ScriptedServer.listen(t)
  const { hosts, modules } = everything(upstream.port)
  const config = { moduleFolders: [folder] }
  const server = await spawnTestServer(t, { hosts, modules, config, execArgv: PROBED })
  await (await upstream.next()).takes('a secret')
  const inside = new Inside(server)
  editions.settle(await inside.seen())
  for (const [jid, password] of Object.entries(PASSWORDS)) await inside.addUser(jid, password)

  const certificate = path.join(server.folder, 'data', 'balcony.crt')
  const env = { ...process.env, ...(tls ? { NODE_EXTRA_CA_CERTS: certificate } : {}) }
  const child = spawn(command, args, { env, stdio: ['pipe', 'pipe', 'pipe'] })
  t.after(() => child.kill('SIGKILL'))
  const chat = new RealDialogue(child, { host: '127.0.0.1', ports: server.ports, passwords: PASSWORDS })
  await chat.goesOn()

  for (const name of allModules()) {
    const { file, edition } = editions.edit(name)
    const { ok, message } = await inside.reload(name)
    assert.ok(ok, message)
    assert.equal((await inside.seen())[file], edition, `the edit of ${file} was taken up`)
    await chat.goesOn()
  }

  const trouble = server.output.split('\n').filter(text => /"level":"(warn|error|fatal)"/.test(text))
  assert.deepEqual(trouble, [])

  // Story 5: by command, and a version that cannot be
  const before = chat.said
  const edited = path.join(folder, 'mod_message', 'recipients.ts')
  const good = fs.readFileSync(edited, 'utf8')
  fs.writeFileSync(edited, `${good}\nconst wherefore = ;\n`)
  const refused = await server.run(['module', 'reload', 'message'])
  assert.equal(refused.code, 1)
  const line = good.split('\n').length + 1
  assert.ok(refused.stderr.includes(`${edited}:${line}:`), refused.stderr)
  await chat.goesOn()
  fs.writeFileSync(edited, good)
  assert.equal((await server.run(['module', 'reload', 'message'])).code, 0)
  await chat.goesOn()
  assert.ok(chat.said > before)
  await chat.ends()
}

const found = spawnSync(PYTHON, ['-c', 'import slixmpp']).status === 0
const skip = found ? false : "slixmpp is not installed (Debian's python3-slixmpp)"

test('5: all modules are swapped while two clients of slixmpp chat', { skip }, t =>
  swapUnder(t, PYTHON, [path.join(__dirname, 'hot-swap.py')], false)
)

test('5: all modules are swapped while two clients of @xmpp/client chat, one over WebSocket', t =>
  swapUnder(t, process.execPath, [path.join(__dirname, 'hot-swap.mjs')], true))
