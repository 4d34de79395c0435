import readline, { type Interface } from 'node:readline'
import { Writable } from 'node:stream'
import { EXIT, Failure } from '../exit'
import { harmless } from '../output'

/** What a person answers on the terminal, a line each. */
export class Asker {
  readonly #lines: Interface
  /** What was typed or pasted ahead of the question. */
  readonly #ahead: string[] = []
  #take: ((line: string) => void) | undefined
  #fail: ((why: Failure) => void) | undefined
  #ended: Failure | undefined
  /** Nothing is shown but the answer to an open question: a password may be typed ahead too. */
  #shown = false

  constructor(input: NodeJS.ReadStream = process.stdin, output: NodeJS.WriteStream = process.stderr) {
    const filtered = new Writable({
      write: (chunk, _, done) => {
        if (this.#shown) output.write(chunk as Buffer)
        done()
      }
    })
    this.#lines = readline.createInterface({
      input,
      output: Object.assign(filtered, { columns: output.columns }),
      terminal: true,
      // What was answered, secrets too, must not come back by an arrow key
      historySize: 0
    })
    this.#lines.on('line', line => {
      const take = this.#take
      if (!take) return void this.#ahead.push(line)
      this.#shown = false
      this.#take = this.#fail = undefined
      take(line)
    })
    this.#lines.on('SIGINT', () => this.#end('Interrupted; nothing was done.'))
    this.#lines.on('close', () => this.#end('The input has ended; nothing was done.'))
  }

  /** A line for a person to read. */
  say(text: string): void {
    process.stderr.write(`${harmless(text)}\n`)
  }

  /** Rejects with a Failure after Ctrl-C or Ctrl-D. */
  async line(prompt: string): Promise<string> {
    return (await this.#next(prompt, true)).trim()
  }

  /** The same, twice and without showing it. */
  async secret(prompt: string): Promise<string> {
    for (;;) {
      const one = await this.#next(prompt, false)
      if (one === '' || (await this.#next('The same again: ', false)) === one) return one
      this.say('The two are not the same.')
    }
  }

  /** No question follows. Throws a Failure if Ctrl-C came since the last one. */
  close(): void {
    const ended = this.#ended
    this.#ended ??= new Failure('Nothing was done.')
    this.#lines.close()
    if (ended) throw ended
  }

  #next(prompt: string, shown: boolean): Promise<string> {
    if (this.#ended) return Promise.reject(this.#ended)
    const ahead = this.#ahead.shift()
    if (ahead !== undefined) {
      process.stderr.write(`${harmless(prompt)}${shown ? harmless(ahead) : ''}\n`)
      return Promise.resolve(ahead)
    }
    return new Promise((resolve, reject) => {
      this.#fail = reject
      this.#take = line => {
        if (!shown) process.stderr.write('\n')
        resolve(line)
      }
      this.#shown = shown
      if (!shown) return void process.stderr.write(harmless(prompt))
      this.#lines.setPrompt(harmless(prompt))
      this.#lines.prompt(true)
    })
  }

  #end(message: string): void {
    if (this.#ended) return
    this.#ended = new Failure(message, EXIT.interrupted)
    if (this.#take) process.stderr.write('\n')
    this.#fail?.(this.#ended)
    this.#lines.close()
  }
}

/** Characters of one line of standard input, at most; a secret has fewer. */
const MAX_LINE = 65_536

/** The lines of standard input where it is no terminal: secrets, one each, in the order of the fields. */
export class InputLines {
  readonly #chunks: AsyncIterator<string>
  #text = ''
  #over = false

  constructor(input: NodeJS.ReadStream = process.stdin) {
    this.#chunks = (input.setEncoding('utf8') as AsyncIterable<string>)[Symbol.asyncIterator]()
  }

  /** Without what ends it; undefined where there is none any more. */
  async next(): Promise<string | undefined> {
    while (!this.#over && !this.#text.includes('\n')) {
      if (this.#text.length > MAX_LINE) throw new Failure('A line of standard input is too long.', EXIT.usage)
      const { value, done } = await this.#chunks.next()
      if (done) this.#over = true
      else this.#text += value
    }
    if (this.#text === '') return undefined
    const [line = '', ...rest] = this.#text.split('\n')
    this.#text = rest.join('\n')
    return line.replace(/\r$/, '')
  }
}
