// XML 1.0 §2.2: what is no character must not be sent; half of a surrogate pair would not survive UTF-8.
const TEXT = /[&<>\r\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]/
const TEXT_EACH = /[&<>\r\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]/gu
const VALUE = /[&<>"'\t\n\r\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]/
const VALUE_EACH = /[&<>"'\t\n\r\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]/gu

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;'
}

/** Text as it stands between tags; what is no character of XML becomes U+FFFD. */
export function escapeText(text: string): string {
  return TEXT.test(text) ? text.replace(TEXT_EACH, escaped) : text
}

/** The same for an attribute value in quotes of either sort; its white space survives (XML 1.0 §3.3.3). */
export function escapeAttribute(value: string): string {
  return VALUE.test(value) ? value.replace(VALUE_EACH, escaped) : value
}

function escaped(char: string): string {
  return ESCAPES[char] ?? '\ufffd'
}
