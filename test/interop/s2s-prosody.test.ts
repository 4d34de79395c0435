import { Prosody, prosodyMissing } from '../lib/peers'
import { federatesWith } from './s2s-story'

federatesWith(Prosody, prosodyMissing, { bidi: true, acks: true, anyPurpose: true })
