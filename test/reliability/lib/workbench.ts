import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { TestContext } from 'node:test'
import { MODULES_FOLDER } from './everything'

/** A copy of the modules, for `moduleFolders`, in which a test may edit as an operator does. */
export class Workbench {
  readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), 'balcony-workbench-'))

  constructor(t: TestContext) {
    t.after(() => fs.rmSync(this.folder, { recursive: true, force: true }))
    fs.cpSync(MODULES_FOLDER, this.folder, { recursive: true })
  }

  file(name: string): string {
    return path.join(this.folder, name)
  }

  read(name: string): string {
    return fs.readFileSync(this.file(name), 'utf8')
  }

  /** Puts text in the place of another that must be there; returns the line on which it stands now, from 1. */
  edit(name: string, old: string, text: string): number {
    const before = this.read(name)
    const at = before.indexOf(old)
    assert.notEqual(at, -1, `'${old}' is in ${name}`)
    fs.writeFileSync(this.file(name), before.slice(0, at) + text + before.slice(at + old.length))
    return before.slice(0, at).split('\n').length
  }

  /** As the repository has it. */
  restore(name: string): void {
    fs.copyFileSync(path.join(MODULES_FOLDER, name), this.file(name))
  }
}
