import { BlockList, isIP, isIPv6 } from 'node:net'

/**
 * Who is counted as one: an IPv4 address, or an IPv6 network of 64 bits, of which one party has all addresses. Parties
 * that have many of those have them out of one of 48 bits.
 */
export function sourceOf(address: string, bits: 64 | 48 = 64): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  if (mapped?.[1] !== undefined) return mapped[1]
  return isIPv6(address) ? `${firstGroups(address, bits / 16)}::/${bits}` : address
}

function firstGroups(address: string, count: number): string {
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length)
  const groups = [...left, ...Array<string>(zeros).fill('0'), ...right]
  return groups
    .slice(0, count)
    .map(group => parseInt(group, 16).toString(16))
    .join(':')
}

/** Addresses and networks: `192.0.2.1`, `10.0.0.0/8`, `2001:db8::/32`. */
export class Networks {
  readonly #list = new BlockList()

  /** Throws RangeError where one of them is neither. */
  constructor(networks: readonly string[] = []) {
    for (const network of networks) {
      const read = readNetwork(network)
      if (!read) throw new RangeError(`${network} is neither an IP address nor a network like 10.0.0.0/8`)
      this.#list.addSubnet(read.address, read.prefix, read.family)
    }
  }

  /** Whether the address is one of them; IPv4 is found also where it came through an IPv6 socket. */
  has(address: string): boolean {
    const plain = address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')
    const version = isIP(plain)
    return version !== 0 && this.#list.check(plain, version === 4 ? 'ipv4' : 'ipv6')
  }
}

/** Undefined where it is neither an address nor a network. */
export function readNetwork(
  text: string
): { address: string; prefix: number; family: 'ipv4' | 'ipv6' } | undefined {
  const [address = '', bits, ...more] = text.split('/')
  const version = isIP(address)
  const most = version === 4 ? 32 : 128
  if (version === 0 || address.includes('%') || more.length > 0 || !/^\d{1,3}$/.test(bits ?? '0'))
    return undefined
  const prefix = bits === undefined ? most : Number(bits)
  return prefix > most ? undefined : { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' }
}
