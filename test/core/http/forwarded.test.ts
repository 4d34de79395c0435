import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import test from 'node:test'
import { clientAddress } from '../../../core/http/forwarded'
import { Networks } from '../../../core/streams/rates/source'

const trusted = new Networks(['10.0.0.0/8', '::1'])

function asks(from: string, headers: Record<string, string>, header: 'x-forwarded-for' | 'forwarded') {
  const request = { socket: { remoteAddress: from }, headers } as unknown as IncomingMessage
  return clientAddress(request, { trusted, header })
}

const xff = (from: string, value?: string): string =>
  asks(from, value === undefined ? {} : { 'x-forwarded-for': value }, 'x-forwarded-for')
const rfc7239 = (from: string, value: string): string => asks(from, { forwarded: value }, 'forwarded')

test('who is no trusted proxy is believed nothing', () => {
  assert.equal(xff('192.0.2.1', '203.0.113.9'), '192.0.2.1')
  assert.equal(xff('::ffff:192.0.2.1', '203.0.113.9'), '192.0.2.1')
  assert.equal(rfc7239('192.0.2.1', 'for=203.0.113.9'), '192.0.2.1')
})

test('a trusted proxy says whom it speaks for; what stands before that anybody may have written', () => {
  assert.equal(xff('10.0.0.1', '203.0.113.9'), '203.0.113.9')
  assert.equal(xff('10.0.0.1', '127.0.0.1, 198.51.100.7, 203.0.113.9'), '203.0.113.9')
  assert.equal(xff('10.0.0.1', '198.51.100.7, 203.0.113.9, 10.0.0.2'), '203.0.113.9')
  assert.equal(xff('::1', '2001:db8::7'), '2001:db8::7')
  assert.equal(xff('::ffff:10.0.0.1', '::ffff:203.0.113.9'), '203.0.113.9')
})

test('ports and brackets', () => {
  assert.equal(xff('10.0.0.1', '203.0.113.9:4711'), '203.0.113.9')
  assert.equal(xff('10.0.0.1', '[2001:db8::7]:4711'), '2001:db8::7')
})

test('what is no address ends the chain', () => {
  assert.equal(xff('10.0.0.1'), '10.0.0.1')
  assert.equal(xff('10.0.0.1', ''), '10.0.0.1')
  assert.equal(xff('10.0.0.1', 'unknown'), '10.0.0.1')
  assert.equal(xff('10.0.0.1', "203.0.113.9, '; DROP TABLE"), '10.0.0.1')
  assert.equal(xff('10.0.0.1', '203.0.113.9, nonsense, 10.0.0.2'), '10.0.0.2')
  assert.equal(xff('10.0.0.1', '10.0.0.3, 10.0.0.2'), '10.0.0.3')
})

test('RFC 7239', () => {
  assert.equal(rfc7239('10.0.0.1', 'for=203.0.113.9;proto=https;by=10.0.0.1'), '203.0.113.9')
  assert.equal(rfc7239('10.0.0.1', 'For="[2001:db8:cafe::17]:4711"'), '2001:db8:cafe::17')
  assert.equal(rfc7239('10.0.0.1', 'for=198.51.100.7, proto=https;for="203.0.113.9:80"'), '203.0.113.9')
  assert.equal(rfc7239('10.0.0.1', 'for="a, for=198.51.100.7"'), '10.0.0.1')
  assert.equal(rfc7239('10.0.0.1', 'for=_hidden'), '10.0.0.1')
  assert.equal(rfc7239('10.0.0.1', 'by=203.0.113.9'), '10.0.0.1')
})

test('RFC 7239: a quote that a client leaves open hides nothing of what the proxy writes behind it', () => {
  assert.equal(rfc7239('10.0.0.1', 'for="x, for="[2001:db8::7]:4711"'), '2001:db8::7')
  assert.equal(rfc7239('10.0.0.1', 'for="x\\, for=203.0.113.9'), '203.0.113.9')
  assert.equal(rfc7239('10.0.0.1', `${'\\"'.repeat(7000)}, for=203.0.113.9`), '203.0.113.9')
  assert.equal(rfc7239('10.0.0.1', 'for="a\\", for=198.51.100.7"'), '10.0.0.1')
})

test('only the header that the proxy writes counts', () => {
  const headers = { 'x-forwarded-for': '203.0.113.9', forwarded: 'for=198.51.100.7' }
  assert.equal(asks('10.0.0.1', headers, 'x-forwarded-for'), '203.0.113.9')
  assert.equal(asks('10.0.0.1', headers, 'forwarded'), '198.51.100.7')
})
