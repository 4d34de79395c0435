// Incremental splitter of an XML stream into top-level stanzas.
//
// Works on bytes; builds no tree, decodes no entity, checks no well-formedness beyond
// tag nesting depth. It knows just enough XML to find boundaries safely:
// quoted attribute values (which may hold '>'), self-closing tags, comments, CDATA,
// the XML declaration and processing instructions.
//
//   new Scanner({
//     open(header)            -> stream start tag, as a latin1 string
//     stanza(buf, start, end) -> one complete child of the stream root, bytes [start, end)
//     close()                 -> </stream:stream>
//   })
//
// `buf` is only valid during the call (it may be a slice of a pooled chunk that lives on,
// so keep a copy, not the reference, if you need it later).

const LT = 0x3c,
  GT = 0x3e,
  SLASH = 0x2f,
  BANG = 0x21,
  QM = 0x3f,
  DQ = 0x22,
  SQ = 0x27,
  DASH = 0x2d,
  RB = 0x5d,
  LB = 0x5b

export const DEFAULT_MAX_STANZA = 64 * 1024 * 1024

export class Scanner {
  constructor(handlers, maxStanza = DEFAULT_MAX_STANZA) {
    this.h = handlers
    this.max = maxStanza
    this.reset()
  }

  reset() {
    this.depth = 0 // open elements, the stream root being 1
    this.start = -1 // offset in carry+chunk of the open stanza, or -1
    this.pos = 0 // where scanning resumes, relative to carry+chunk
    this.carry = null // bytes kept from earlier chunks
    this.gen = (this.gen | 0) + 1 // a reset() from inside a callback ends the running feed()
    this.stopped = false
  }

  // A callback may call stop() to drop the rest of the chunk (used at STARTTLS).
  stop() {
    this.stopped = true
  }

  feed(chunk) {
    let b = chunk
    if (this.carry !== null) {
      b = Buffer.concat([this.carry, chunk])
      this.carry = null
    }
    const n = b.length
    const h = this.h
    const gen = this.gen
    let i = this.pos,
      depth = this.depth,
      start = this.start

    scan: while (true) {
      while (i < n && b[i] !== LT) i++
      if (i >= n) break
      if (i + 1 >= n) break
      const c = b[i + 1]
      if (c === SLASH) {
        let j = i + 2
        while (j < n && b[j] !== GT) j++
        if (j >= n) break
        depth--
        i = j + 1
        if (depth === 1) {
          const s = start
          start = -1
          this.depth = depth
          h.stanza(b, s, i)
          if (this.gen !== gen) return
          if (this.stopped) {
            this.carry = null
            return
          }
        } else if (depth === 0) {
          this.depth = 0
          h.close()
          if (this.gen !== gen) return
        } else if (depth < 0) {
          throw new Error('scanner: end tag without start tag')
        }
      } else if (c === BANG) {
        // comment or CDATA
        if (i + 9 > n) break // wait for enough bytes to tell a comment from CDATA
        if (b[i + 2] === DASH) {
          let j = i + 4
          for (;;) {
            while (j < n && b[j] !== GT) j++
            if (j >= n) break scan
            if (b[j - 1] === DASH && b[j - 2] === DASH) break
            j++
          }
          i = j + 1
        } else if (b[i + 2] === LB) {
          let j = i + 9
          for (;;) {
            while (j < n && b[j] !== GT) j++
            if (j >= n) break scan
            if (b[j - 1] === RB && b[j - 2] === RB) break
            j++
          }
          i = j + 1
        } else {
          let j = i + 2
          while (j < n && b[j] !== GT) j++
          if (j >= n) break
          i = j + 1
        }
      } else if (c === QM) {
        let j = i + 2
        for (;;) {
          while (j < n && b[j] !== GT) j++
          if (j >= n) break scan
          if (b[j - 1] === QM) break
          j++
        }
        i = j + 1
      } else {
        // start tag, maybe self-closing
        let j = i + 1
        for (;;) {
          if (j >= n) break scan
          const ch = b[j]
          if (ch === GT) break
          if (ch === DQ || ch === SQ) {
            j++
            while (j < n && b[j] !== ch) j++
            if (j >= n) break scan
          }
          j++
        }
        const self = b[j - 1] === SLASH
        if (depth === 0) {
          const header = b.latin1Slice(i, j + 1)
          i = j + 1
          depth = self ? 0 : 1
          this.depth = depth
          h.open(header)
          if (this.gen !== gen) return
          if (self) h.close()
        } else {
          if (depth === 1) start = i
          i = j + 1
          if (!self) depth++
          else if (depth === 1) {
            const s = start
            start = -1
            this.depth = depth
            h.stanza(b, s, i)
            if (this.gen !== gen) return
            if (this.stopped) {
              this.carry = null
              return
            }
          }
        }
      }
    }

    const keep = start >= 0 ? start : i
    if (keep < n) {
      if (n - keep > this.max) throw new Error(`scanner: stanza larger than ${this.max} bytes`)
      this.carry = keep === 0 ? b : b.subarray(keep)
      this.pos = i - keep
      this.start = start >= 0 ? 0 : -1
    } else {
      this.carry = null
      this.pos = 0
      this.start = -1
    }
    this.depth = depth
  }
}

// ---- tiny helpers on a stanza's text (latin1 or utf8 string) ----

// Value of attribute `name` in the tag that begins at `from` in s, or null.
// Cheap: a value that itself contains ` name=` before the real attribute would fool it;
// no server under test writes such a thing.
export function attr(s, name, from = 0) {
  const end = tagEnd(s, from)
  let i = from
  const key = name + '='
  for (;;) {
    i = s.indexOf(key, i)
    if (i < 0 || i >= end) return null
    const p = s.charCodeAt(i - 1)
    if (p === 0x20 || p === 0x0a || p === 0x09 || p === 0x0d) {
      const q = s[i + key.length]
      const a = i + key.length + 1
      const z = s.indexOf(q, a)
      return z < 0 ? null : s.slice(a, z)
    }
    i += key.length
  }
}

function tagEnd(s, from) {
  const n = s.length
  for (let j = from + 1; j < n; j++) {
    const ch = s.charCodeAt(j)
    if (ch === GT) return j
    if (ch === DQ || ch === SQ) {
      j = s.indexOf(s[j], j + 1)
      if (j < 0) return n
    }
  }
  return n
}

export function tagName(s) {
  const m = /^<([^\s/>]+)/.exec(s)
  return m ? m[1] : ''
}

export function unescapeXml(s) {
  return s.replace(
    /&(lt|gt|amp|quot|apos);/g,
    (_, e) => ({ lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" })[e]
  )
}
export function escapeXml(s) {
  return s.replace(
    /[<>&'"]/g,
    c => ({ '<': '&lt;', '>': '&gt;', '&': '&amp;', "'": '&apos;', '"': '&quot;' })[c]
  )
}
