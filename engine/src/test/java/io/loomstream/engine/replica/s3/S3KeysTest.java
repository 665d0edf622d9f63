package io.loomstream.engine.replica.s3;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.loomstream.engine.ltx.Level;
import io.loomstream.engine.ltx.Txid;
import io.loomstream.engine.ltx.TxidRange;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class S3KeysTest {
    /** Litestream's keys are the path as written, a slash and the level. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', textBlock = """
            app     | app/
            a/b     | a/b/
            /app    | app/ , /app/
            app/    | app/ , app//
            ./app   | app/ , ./app/
            ~~      |  , /, ./
            .       |  , /, ./
            /       |  , /, ./, //
            """)
    void rootsAreTheCleanPathThenWhatLitestreamMakesOfIt(String written, String roots) {
        var keys = new S3Keys(new S3Location("bucket", written));

        assertEquals(roots.replace(" ", ""), String.join(",", keys.roots()));
    }

    @ParameterizedTest
    @CsvSource({"app/, app/0000/", "'', 0000/", "/app/, /app/0000/"})
    void keyIsRootLevelAndName(String root, String prefix) {
        TxidRange range = TxidRange.of(Txid.ONE);

        assertEquals(prefix + "0000000000000001-0000000000000001.ltx", S3Keys.key(root, Level.L0, range));
    }
}
