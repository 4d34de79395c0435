/** A string does not fit the profile it was meant for; the message completes "its local part ...". */
export class PrecisError extends Error {
  override readonly name = 'PrecisError'
}
