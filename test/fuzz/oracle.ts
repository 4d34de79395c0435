import { SaxesParser } from 'saxes'
import { addText, CONTENT_NS, STREAM_NS, type Mode, type Outcome, type Tree } from './tree'

class Refused extends Error {}

/**
 * What saxes makes of a document, less what XMPP forbids (RFC 6120 §11.1) and what streams are (§4.2, §4.8).
 *
 * saxes 6.0.0 accepts some documents that the specifications refuse; those are refused here:
 * - the local part of a qualified name may start as no NCName does, e.g. `a:1` (Namespaces in XML 1.0 §4 [11]);
 * - `xmlns:xmlns` may be declared, to its own namespace (§3, "must not be declared").
 * It also takes white space off namespace names, which are compared character by character (§2.3): where one has
 * any, `comparable` is false. We refuse two things that are well-formed, by choice: XML declarations of another
 * version than 1.0, and elements with the prefix xml, which no serialiser could write without it.
 */
export function oracle(text: string, mode: Mode): Outcome & { comparable: boolean } {
  const outcome = { accepted: true, reason: '', trees: [] as Tree[], comparable: true }
  const open: Tree[] = []
  const refuse = (reason: string): never => {
    throw new Refused(reason)
  }
  const parser = new SaxesParser({ xmlns: true, position: false })
  parser.on('error', error => refuse(error.message))
  parser.on('comment', () => refuse('comment'))
  parser.on('processinginstruction', () => refuse('processing instruction'))
  parser.on('doctype', () => refuse('document type'))
  parser.on('xmldecl', ({ version, encoding }) => {
    if (version !== '1.0') refuse('version')
    if (encoding !== undefined && encoding.toLowerCase() !== 'utf-8') refuse('encoding')
  })
  parser.on('attribute', ({ name, value }) => {
    if (/^xmlns(:|$)/.test(name) && value !== value.trim()) outcome.comparable = false
  })
  parser.on('opentag', tag => {
    const root = open.length === 0
    if (mode === 'stream' && root) {
      if (tag.uri !== STREAM_NS || tag.local !== 'stream') refuse('not a stream')
      if (!['', STREAM_NS, CONTENT_NS, undefined].includes(tag.ns?.[''])) refuse('content namespace')
    }
    if (tag.prefix === 'xml' || !startsName(tag.local)) refuse('element name')
    const attributes = new Map<string, string>()
    for (const attribute of Object.values(tag.attributes)) {
      if (attribute.name === 'xmlns:xmlns') refuse('xmlns declared')
      if (!startsName(attribute.local) || (attribute.prefix !== '' && !startsName(attribute.prefix)))
        refuse('attribute name')
      if (attribute.name === 'xmlns' || attribute.prefix === 'xmlns') continue
      attributes.set(
        attribute.prefix === '' ? attribute.local : `{${attribute.uri}}${attribute.local}`,
        attribute.value
      )
    }
    const tree: Tree = { name: `{${tag.uri}}${tag.local}`, attributes, children: [] }
    const parent = open[open.length - 1]
    if (!parent || (mode === 'stream' && open.length === 1)) outcome.trees.push(tree)
    else parent.children.push(tree)
    open.push(tree)
  })
  parser.on('closetag', () => open.pop())
  const text_ = (data: string, section: boolean): void => {
    const parent = open[open.length - 1]
    const between = mode === 'stream' && open.length === 1
    // A keepalive is white space as it is, not a reference to it (RFC 6120 §11.7).
    if (between && (section || !/^[ \t\r\n]*$/.test(data))) refuse('text between stanzas')
    if (parent && !between) addText(parent.children, data)
  }
  parser.on('text', data => text_(data, false))
  parser.on('cdata', data => text_(data, true))
  try {
    // RFC 6120 §11.6: no byte order mark, so it is text before the root; saxes skips it.
    if (text.startsWith('\ufeff')) refuse('byte order mark')
    if (mode === 'frame' && !text.startsWith('<')) refuse('a frame starts with <')
    parser.write(text).close()
  } catch (thrown) {
    if (!(thrown instanceof Refused)) throw thrown
    outcome.accepted = false
    outcome.reason = thrown.message
  }
  return outcome
}

/** By XML 1.0 (fifth edition) [4a], what a name may have but not start with. */
function startsName(name: string): boolean {
  return !/^[-.0-9\u00b7\u0300-\u036f\u203f\u2040]/.test(name)
}
