package dev.spike.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import static java.nio.charset.StandardCharsets.UTF_8;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.stream.LongStream;

class MessagePackTest {

    @RegisterExtension
    static final TestRedis REDIS = new TestRedis();

    private static byte[] packedByRedis(String lua) {
        return (byte[]) REDIS.client().eval(("return cmsgpack.pack(" + lua + ")").getBytes(UTF_8));
    }

    private static Object readFromRedis(String lua) {
        return MessagePack.read(packedByRedis(lua));
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 1, 127, 128, 255, 256, 65_535, 65_536, 1_000_000_000, 4_294_967_295L})
    void integers_ofRedis_areRead(long value) {
        assertThat(readFromRedis(Long.toString(value))).isEqualTo(value);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 31, 32, 128, 255, 256, 512, 65_535})
    void strings_ofRedis_areRead(int length) {
        assertThat(readFromRedis("string.rep('x', " + length + ")")).isEqualTo("x".repeat(length));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 15, 16, 512})
    void arrays_ofRedis_areRead(int length) {
        String lua = "(function() local a = {} for i = 1, " + length
                + " do a[i] = i end return a end)()";
        assertThat(readFromRedis(lua))
                .isEqualTo(LongStream.rangeClosed(1, length).boxed().toList());
    }

    @Test
    void nested_ofRedis_isRead() {
        assertThat(readFromRedis("{{'李雷', '', '🛒'}, {'a', 'b', 'c'}, 'EEE', 300}"))
                .isEqualTo(List.of(List.of("李雷", "", "🛒"), List.of("a", "b", "c"), "EEE", 300L));
    }

    @Test
    void ownForms_areRead_alsoByRedis() {
        String buyer = "b".repeat(128);
        byte[] packed = new MessagePack(64)
                .array(4)
                .string("李雷")
                .string(buyer)
                .integer(127)
                .integer(Integer.MAX_VALUE)
                .bytes();
        List<Object> values = List.of("李雷", buyer, 127L, (long) Integer.MAX_VALUE);
        assertThat(MessagePack.read(packed)).isEqualTo(values);
        byte[] again = (byte[]) REDIS.client()
                .eval(
                        "return cmsgpack.pack(cmsgpack.unpack(ARGV[1]))".getBytes(UTF_8),
                        List.of(),
                        List.of(packed));
        assertThat(MessagePack.read(again)).isEqualTo(values);
    }

    @Test
    void cutOffAnywhere_isAnError() {
        byte[] whole =
                packedByRedis("{'x', string.rep('y', 40), string.rep('z', 300), 5, 200, 300, "
                        + "70000, {" + String.join(", ", Collections.nCopies(20, "'a'")) + "}}");
        for (int length = 0; length < whole.length; length++) {
            byte[] cut = Arrays.copyOf(whole, length);
            assertThatThrownBy(() -> MessagePack.read(cut))
                    .as("%s bytes", length)
                    .isInstanceOf(IllegalStateException.class)
                    .hasMessage("a value that is cut off");
        }
    }

    @Test
    void anythingElse_isAnError() {
        assertThatThrownBy(() -> readFromRedis("1.5"))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("a value of type 202");
        assertThatThrownBy(() -> readFromRedis("nil")).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> MessagePack.read(new byte[] {1, 2}))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("1 bytes after the value");
    }
}
