import { parseElement } from './document'
import { Element } from './element'
import { XML } from './serialize'

/**
 * An element of which the XML is known, e.g. a payload out of the database: it is sent as it is, and parsed only
 * when somebody looks into it. The text must be what `serialize` made of an element with its namespace declared.
 */
export function stored(xml: string): Element {
  return new StoredElement(xml)
}

class StoredElement extends Element {
  readonly #xml: string
  #parsed: Element | undefined

  constructor(xml: string) {
    super(/^<([^\s/>]+)/.exec(xml)?.[1] ?? '')
    this.#xml = xml
  }

  get [XML](): string {
    return this.#xml
  }

  get whole(): Element {
    return (this.#parsed ??= parseElement(this.#xml))
  }

  /** For ltx's `toString`. */
  override write(writer: (xml: string) => void): void {
    writer(this.#xml)
  }
}

// Accessors on the prototype take the place of the fields that ltx's constructor would set.
for (const part of ['attrs', 'children'] as const) {
  Object.defineProperty(StoredElement.prototype, part, {
    get(this: StoredElement) {
      return this.whole[part] as unknown
    },
    set: () => {}
  })
}
