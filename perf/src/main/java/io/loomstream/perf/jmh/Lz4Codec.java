package io.loomstream.perf.jmh;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import net.jpountz.lz4.LZ4Compressor;
import net.jpountz.lz4.LZ4Factory;
import net.jpountz.lz4.LZ4SafeDecompressor;

/** One LZ4 block implementation. Results are lengths in bytes. */
public interface Lz4Codec {
    int compress(byte[] input, int offset, int length, byte[] output);

    int decompress(byte[] input, int length, byte[] output, int offset, int outputBytes);

    /** The implementations to choose from. */
    enum Library {
        /** {@code at.yawk.lz4:lz4-java} with its native library. */
        LZ4_JAVA_NATIVE,
        /** The same without: what it falls back to where it has no library. */
        LZ4_JAVA_PURE,
        /** {@code io.airlift:aircompressor-v3}, pure Java; its class files need Java 25. */
        AIRCOMPRESSOR
    }

    static Lz4Codec of(Library library) {
        return switch (library) {
            case LZ4_JAVA_NATIVE -> lz4Java(LZ4Factory.nativeInstance());
            case LZ4_JAVA_PURE -> lz4Java(LZ4Factory.safeInstance());
            case AIRCOMPRESSOR -> Aircompressor.load();
        };
    }

    private static Lz4Codec lz4Java(LZ4Factory factory) {
        LZ4Compressor compressor = factory.fastCompressor();
        LZ4SafeDecompressor decompressor = factory.safeDecompressor();
        return new Lz4Codec() {
            @Override
            public int compress(byte[] input, int offset, int length, byte[] output) {
                return compressor.compress(input, offset, length, output, 0);
            }

            @Override
            public int decompress(byte[] input, int length, byte[] output, int offset, int outputBytes) {
                return decompressor.decompress(input, 0, length, output, offset, outputBytes);
            }
        };
    }

    /** Reached by name, because this module is compiled and tested on Java 21 too, which cannot read those class files. */
    final class Aircompressor implements Lz4Codec {
        private final MethodHandle compress;
        private final MethodHandle decompress;

        private Aircompressor(MethodHandle compress, MethodHandle decompress) {
            this.compress = compress;
            this.decompress = decompress;
        }

        static Aircompressor load() {
            String names = "io.airlift.compress.v3.lz4.Lz4Java";
            try {
                return new Aircompressor(
                        bound(names + "Compressor", "compress"), bound(names + "Decompressor", "decompress"));
            } catch (ReflectiveOperationException | UnsupportedClassVersionError e) {
                throw new IllegalStateException("aircompressor-v3 needs Java 25", e);
            }
        }

        private static MethodHandle bound(String type, String method) throws ReflectiveOperationException {
            Class<?> loaded = Class.forName(type);
            MethodType shape = MethodType.methodType(
                    int.class, byte[].class, int.class, int.class, byte[].class, int.class, int.class);
            return MethodHandles.publicLookup()
                    .findVirtual(loaded, method, shape)
                    .bindTo(loaded.getConstructor().newInstance());
        }

        @Override
        public int compress(byte[] input, int offset, int length, byte[] output) {
            try {
                return (int) compress.invokeExact(input, offset, length, output, 0, output.length);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }

        @Override
        public int decompress(byte[] input, int length, byte[] output, int offset, int outputBytes) {
            try {
                return (int) decompress.invokeExact(input, 0, length, output, offset, outputBytes);
            } catch (Throwable e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
