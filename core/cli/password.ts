import type { ReadStream } from 'node:tty'
import { EXIT, Failure } from './exit'

/** Characters of a password, at most; accounts take fewer. */
const MAX_LENGTH = 4096

/** What arrow keys and the like send. */
const ESCAPES = /\u001b\[[\d;]*[A-Za-z~]/g

/**
 * The password that somebody types, twice the same, or the first line of standard input where that is no terminal.
 * Never an argument: those are seen by everybody on the machine.
 */
export async function askPassword(prompt: string, input: NodeJS.ReadStream = process.stdin): Promise<string> {
  const password = input.isTTY ? await typedTwice(prompt, input) : await firstLine(input)
  if (password === '') throw new Failure('The password is empty; nothing was changed.')
  return password
}

async function typedTwice(prompt: string, input: ReadStream): Promise<string> {
  const password = await typed(`${prompt}: `, input)
  if (password === '') return ''
  if ((await typed('The same again: ', input)) !== password)
    throw new Failure('The two are not the same; nothing was changed.')
  return password
}

/** Reads a line from the terminal without showing it. */
function typed(prompt: string, input: ReadStream): Promise<string> {
  // First: what is typed as soon as the prompt is there must not be shown
  input.setRawMode(true)
  process.stderr.write(prompt)
  input.setEncoding('utf8').resume()
  return new Promise((resolve, reject) => {
    let text: string[] = []
    const finish = (end: () => void): void => {
      input.off('data', read)
      input.setRawMode(false)
      input.pause()
      process.stderr.write('\n')
      end()
    }
    const read = (chunk: string): void => {
      const keys = [...chunk.replace(ESCAPES, '')]
      for (const [at, key] of keys.entries()) {
        if (key === '\r' || key === '\n' || key === '\u0004') {
          finish(() => resolve(text.join('')))
          // What was pasted behind the line is for the next question
          return input.unshift(keys.slice(at + 1).join(''))
        }
        if (key === '\u0003')
          return finish(() => reject(new Failure('Interrupted; nothing was changed.', EXIT.interrupted)))
        if (key === '\u007f' || key === '\b') text.pop()
        else if (key === '\u0015') text = []
        else if (key >= ' ' && text.length < MAX_LENGTH) text.push(key)
      }
    }
    input.on('data', read)
  })
}

async function firstLine(input: NodeJS.ReadStream): Promise<string> {
  let text = ''
  for await (const chunk of input.setEncoding('utf8') as AsyncIterable<string>) {
    text += chunk
    if (text.includes('\n')) break
    if (text.length > MAX_LENGTH) throw new Failure(`The password is longer than ${MAX_LENGTH} characters.`)
  }
  return (text.split('\n')[0] ?? '').replace(/\r$/, '')
}

/** A question that only `yes` answers with yes; `undefined` where nobody can be asked. */
export async function confirm(
  question: string,
  input: NodeJS.ReadStream = process.stdin
): Promise<boolean | undefined> {
  if (!input.isTTY) return undefined
  process.stderr.write(`${question} [yes/no] `)
  return (await firstLine(input)).trim().toLowerCase() === 'yes'
}
