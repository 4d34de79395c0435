#!/usr/bin/env node
/*
 * Writes the tables of who may do what in a channel into docs/protocol.md, from the code that decides it
 * (modules/mod_channels/permissions.ts). With --check nothing is written: the exit code says whether the page is true.
 */
import fs from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '..')
const page = path.join(root, 'docs', 'protocol.md')
const require = createRequire(path.join(root, 'package.json'))
require('./bin/register.js')
const { renderPermissions } = require('./modules/mod_channels/permissions.ts')

const BEGIN = '<!-- permissions: made by node tools/channel-permissions.mjs -->'
const END = '<!-- /permissions -->'

const text = fs.readFileSync(page, 'utf8')
const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)]
if (from < 0 || to < from) {
  console.error(`${page} has no place for the tables: put the lines "${BEGIN}" and "${END}" there`)
  process.exit(2)
}
const wanted = `${text.slice(0, from + BEGIN.length)}\n\n${renderPermissions()}\n\n${text.slice(to)}`
if (process.argv.includes('--check')) {
  if (wanted !== text)
    console.error('docs/protocol.md is not what the code says: node tools/channel-permissions.mjs')
  process.exitCode = wanted === text ? 0 : 1
} else if (wanted !== text) {
  fs.writeFileSync(page, wanted)
  console.log('docs/protocol.md has new tables.')
}
