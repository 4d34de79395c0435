import fs from 'node:fs'
import path from 'node:path'

const EXTENSIONS = ['.ts', '.js', '.cjs', '.json']

/**
 * The file that a path without extension, or of a folder, means. Looked up afresh each time: Node keeps what it
 * once found, and a file that became a folder since would not be.
 */
export function fileAt(wanted: string): string | undefined {
  if (isFile(wanted)) return wanted
  for (const extension of EXTENSIONS) if (isFile(wanted + extension)) return wanted + extension
  for (const extension of EXTENSIONS) {
    const index = path.join(wanted, `index${extension}`)
    if (isFile(index)) return index
  }
  return undefined
}

export function isFile(file: string): boolean {
  return fs.statSync(file, { throwIfNoEntry: false })?.isFile() ?? false
}

export function isFolder(file: string): boolean {
  return fs.statSync(file, { throwIfNoEntry: false })?.isDirectory() ?? false
}

/** Why Node would take a file for an ES module, which cannot be unloaded; undefined where it would not. */
export function whyEsm(file: string, root: string): string | undefined {
  const extension = path.extname(file)
  if (extension === '.mjs' || extension === '.mts') return `${file} is an ES module`
  if (extension !== '.js') return undefined
  for (let folder = path.dirname(file); folder.startsWith(root); folder = path.dirname(folder)) {
    const manifest = path.join(folder, 'package.json')
    if (!isFile(manifest)) continue
    const { type } = JSON.parse(fs.readFileSync(manifest, 'utf8')) as { type?: string }
    return type === 'module' ? `${file} is an ES module by the "type" in ${manifest}` : undefined
  }
  return undefined
}
