import { Ejabberd, ejabberdMissing } from '../lib/peers'
import { federatesWith } from './s2s-story'

federatesWith(Ejabberd, ejabberdMissing, { bidi: false, acks: false, anyPurpose: false })
