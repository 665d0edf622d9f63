package io.loomstream.perf.jmh;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import javax.crypto.Cipher;
import javax.crypto.Mac;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/** A hash of a page, at least 128 bits; tenants choose what is hashed, so it is cryptographic, or keyed with a secret. */
public interface PageHash {
    /** The first 64 bits of the hash. */
    long hash(byte[] pages, int offset, int length) throws GeneralSecurityException;

    /** The candidates. */
    enum Candidate {
        SHA_256,
        MD5_HMAC,
        SHA_256_HMAC,
        /** CBC-MAC with AES: a MAC because all pages of a database have one length. */
        AES_CBC_MAC,
        /** AES-GCM's tag over data that is not encrypted; the nonce may repeat as long as nobody sees the tags. */
        AES_GMAC,
        /** SipHash-2-4 with 128 bits (Aumasson and Bernstein, 2012): keyed, in plain Java. */
        SIP_HASH
    }

    static PageHash of(Candidate candidate) throws GeneralSecurityException {
        byte[] key = new byte[16];
        for (int i = 0; i < key.length; i++) {
            key[i] = (byte) i;
        }
        return switch (candidate) {
            case SHA_256 -> digest(MessageDigest.getInstance("SHA-256"));
            case MD5_HMAC -> mac("HmacMD5", key);
            case SHA_256_HMAC -> mac("HmacSHA256", key);
            case AES_CBC_MAC -> cbcMac(key);
            case AES_GMAC -> gmac(key);
            case SIP_HASH -> new SipHash(getLong(key, 0), getLong(key, 8));
        };
    }

    private static PageHash digest(MessageDigest digest) {
        return (pages, offset, length) -> {
            digest.update(pages, offset, length);
            return getLong(digest.digest(), 0);
        };
    }

    private static PageHash mac(String name, byte[] key) throws GeneralSecurityException {
        Mac mac = Mac.getInstance(name);
        mac.init(new SecretKeySpec(key, name));
        return (pages, offset, length) -> {
            mac.update(pages, offset, length);
            return getLong(mac.doFinal(), 0);
        };
    }

    private static PageHash cbcMac(byte[] key) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("AES/CBC/NoPadding");
        cipher.init(Cipher.ENCRYPT_MODE, new SecretKeySpec(key, "AES"), new IvParameterSpec(new byte[16]));
        byte[] encrypted = new byte[65536];
        return (pages, offset, length) -> {
            cipher.doFinal(pages, offset, length, encrypted);
            return getLong(encrypted, length - 16);
        };
    }

    private static PageHash gmac(byte[] key) throws NoSuchAlgorithmException, GeneralSecurityException {
        Cipher cipher = Cipher.getInstance("AES/GCM/NoPadding");
        SecretKeySpec aes = new SecretKeySpec(key, "AES");
        byte[] nonce = new byte[12];
        return (pages, offset, length) -> {
            nonce[0]++; // the JDK refuses the nonce of the call before
            cipher.init(Cipher.ENCRYPT_MODE, aes, new GCMParameterSpec(128, nonce));
            cipher.updateAAD(pages, offset, length);
            return getLong(cipher.doFinal(), 0);
        };
    }

    private static long getLong(byte[] bytes, int at) {
        return (long) SipHash.LONGS.get(bytes, at);
    }

    /** SipHash-2-4-128, for one thread. */
    final class SipHash implements PageHash {
        static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

        private final long key0;
        private final long key1;
        private long high;

        SipHash(long key0, long key1) {
            this.key0 = key0;
            this.key1 = key1;
        }

        /** The other 64 bits of the last hash. */
        long high() {
            return high;
        }

        @Override
        public long hash(byte[] bytes, int offset, int length) {
            long v0 = key0 ^ 0x736F6D6570736575L;
            long v1 = key1 ^ 0x646F72616E646F6DL ^ 0xEE;
            long v2 = key0 ^ 0x6C7967656E657261L;
            long v3 = key1 ^ 0x7465646279746573L;
            int words = length >>> 3;
            for (int i = 0; i <= words + 4; i++) {
                if (i == words + 1) {
                    v2 ^= 0xEE;
                }
                long m = 0;
                if (i < words) {
                    m = (long) LONGS.get(bytes, offset + 8 * i);
                } else if (i == words) {
                    m = tail(bytes, offset + 8 * words, length);
                }
                v3 ^= m;
                // Two rounds for each word of the message. Afterwards four: two passes of this loop without a word.
                for (int round = 0; round < 2; round++) {
                    v0 += v1;
                    v1 = Long.rotateLeft(v1, 13) ^ v0;
                    v0 = Long.rotateLeft(v0, 32);
                    v2 += v3;
                    v3 = Long.rotateLeft(v3, 16) ^ v2;
                    v0 += v3;
                    v3 = Long.rotateLeft(v3, 21) ^ v0;
                    v2 += v1;
                    v1 = Long.rotateLeft(v1, 17) ^ v2;
                    v2 = Long.rotateLeft(v2, 32);
                }
                v0 ^= m;
                if (i == words + 2) {
                    high = v0 ^ v1 ^ v2 ^ v3; // the first word of the result
                    v1 ^= 0xDD;
                }
            }
            long second = v0 ^ v1 ^ v2 ^ v3;
            long first = high;
            high = second;
            return first;
        }

        private static long tail(byte[] bytes, int from, int length) {
            long word = (long) length << 56;
            for (int i = 0; i < (length & 7); i++) {
                word |= (bytes[from + i] & 0xFFL) << (8 * i);
            }
            return word;
        }
    }
}
