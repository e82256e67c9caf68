package dev.spike.http;

import static org.assertj.core.api.Assertions.assertThat;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_16;
import static java.nio.charset.StandardCharsets.UTF_16LE;
import static java.nio.charset.StandardCharsets.UTF_8;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.Charset;
import java.util.stream.Stream;

/** Hostile JSON: each body is refused with a problem that names the field, and nothing is sold. */
final class RequestBodyTest {

    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start("--total=1000");
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @AfterEach
    void goodBuyerAnsweredAndConserved() {
        assertThat(server.buy("").body()).contains("\"code\":1");
        server.assertConserved();
    }

    private static String quantity(String value) {
        return "{\"buyer\":\"a\",\"quantity\":" + value + "}";
    }

    private static String buyer(String value) {
        return "{\"buyer\":" + value + "}";
    }

    static Stream<Arguments> texts() {
        return Stream.of(
                Arguments.of("", "body"),
                Arguments.of("[]", "body"),
                Arguments.of("null", "body"),
                Arguments.of("\"\"", "body"),
                Arguments.of("{", "body"),
                Arguments.of("[".repeat(4000), "body"),
                Arguments.of("{} {}", "body"),
                Arguments.of("{\"buyer\":\"a\"} x", "body"),
                Arguments.of("{\"buyer\":\"a\"}\u0000", "body"),
                Arguments.of("{\"buyer\":\"a\",}", "body"),
                Arguments.of("{\"buyer\":\"a\"/**/}", "body"),
                Arguments.of("{'buyer':'a'}", "body"),
                Arguments.of("{buyer:\"a\"}", "body"),
                Arguments.of("{\"buyer\":\"a\",\"buyer\":\"b\"}", "body"),
                Arguments.of("{\"buyer\":\"a\",\"b\\u0075yer\":\"b\"}", "body"),
                Arguments.of("{\"buyer\":\"a\",\"price\":1}", "price"),
                Arguments.of("{\"buyer\":\"a\",\"__proto__\":{}}", "__proto__"),
                Arguments.of("{\"\\ud800\":1}", "body"),
                Arguments.of(buyer("{\"a\":{\"b\":{\"c\":{\"d\":1}}}}"), "body"),
                Arguments.of(buyer("[1" + ",1".repeat(80) + "]"), "body"),
                Arguments.of(buyer("\"" + "a".repeat(300) + "\""), "body"),
                Arguments.of("{\"" + "n".repeat(40) + "\":1}", "body"),
                Arguments.of("{}", "buyer"),
                Arguments.of(buyer("7"), "buyer"),
                Arguments.of(buyer("null"), "buyer"),
                Arguments.of(buyer("\"\""), "buyer"),
                Arguments.of(buyer("\"a\\u0000b\""), "buyer"),
                Arguments.of(buyer("\"\\ud800\""), "buyer"),
                Arguments.of(buyer("\"\\udc00\\ud800\""), "buyer"),
                Arguments.of(buyer("\"a\nb\""), "body"),
                Arguments.of(buyer("\"" + "ü".repeat(65) + "\""), "buyer"),
                Arguments.of(quantity("9".repeat(30)), "body"),
                Arguments.of(quantity("1e" + "0".repeat(30) + "1"), "body"),
                Arguments.of(quantity("01"), "body"),
                Arguments.of(quantity("+1"), "body"),
                Arguments.of(quantity("NaN"), "body"),
                Arguments.of(quantity("-Infinity"), "body"),
                Arguments.of(quantity("0x10"), "body"),
                Arguments.of(quantity("0"), "quantity"),
                Arguments.of(quantity("-0"), "quantity"),
                Arguments.of(quantity("-1"), "quantity"),
                Arguments.of(quantity("1.0"), "quantity"),
                Arguments.of(quantity("1e0"), "quantity"),
                Arguments.of(quantity("1e400"), "quantity"),
                Arguments.of(quantity("1e999999999"), "quantity"),
                Arguments.of(quantity("1e-999999999"), "quantity"),
                Arguments.of(quantity("\"1\""), "quantity"),
                Arguments.of(quantity("null"), "quantity"),
                Arguments.of(quantity("true"), "quantity"),
                Arguments.of(quantity("[1]"), "quantity"),
                Arguments.of(quantity("2147483648"), "quantity"),
                Arguments.of(quantity("9223372036854775808"), "quantity"),
                Arguments.of(quantity("4294967297"), "quantity"));
    }

    @ParameterizedTest
    @MethodSource("texts")
    void json_hostile_problemNamesTheFieldAndNothingIsSold(String text, String field)
            throws IOException {
        assertRefused(text.getBytes(UTF_8), field);
    }

    static Stream<Arguments> encodings() {
        String good = buyer("\"a\"");
        return Stream.of(
                Arguments.of("UTF-8 with a mark", bytes("\ufeff" + good, UTF_8)),
                Arguments.of("UTF-16 with a mark", bytes(good, UTF_16)),
                Arguments.of("UTF-16 without", bytes(good, UTF_16LE)),
                Arguments.of("UTF-32", bytes(good, Charset.forName("UTF-32LE"))),
                Arguments.of("Latin 1", bytes(buyer("\"\u00e4\""), ISO_8859_1)),
                Arguments.of("overlong", bytes(buyer("\"a\u00c0\u00afb\""), ISO_8859_1)),
                Arguments.of("surrogate", bytes(buyer("\"\u00ed\u00a0\u0080\""), ISO_8859_1)),
                Arguments.of("cut off", bytes(buyer("\"\u00e6\u008a\""), ISO_8859_1)),
                Arguments.of("beyond", bytes(buyer("\"\u00f4\u0090\u0080\u0080\""), ISO_8859_1)));
    }

    private static byte[] bytes(String text, Charset charset) {
        return text.getBytes(charset);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("encodings")
    void json_notPlainUtf8_refusedAndNothingIsSold(String what, byte[] body) throws IOException {
        assertRefused(body, "body");
    }

    private static void assertRefused(byte[] body, String field) throws IOException {
        String before = server.levels("ticket");
        ByteArrayOutputStream request = new ByteArrayOutputStream();
        request.write(("POST /v1/sales/ticket/reservations HTTP/1.1\r\nHost: x\r\n"
                        + "Idempotency-Key: request-1\r\nContent-Type: application/json\r\n"
                        + "Content-Length: " + body.length + "\r\n\r\n")
                .getBytes(ISO_8859_1));
        request.write(body);
        try (Wire wire = Wire.open(server.port())) {
            Wire.Answer refused = wire.send(request.toByteArray()).read();
            assertThat(refused.status()).as(refused.body()).isEqualTo(400);
            assertThat(refused.head()).contains("Content-Type: application/problem+json");
            var problem = TestServer.json(refused.body());
            assertThat(problem.get("type").textValue()).isEqualTo("urn:spike:problem:bad-request");
            assertThat(problem.get("detail").textValue()).contains(field);
            assertThat(refused.body()).doesNotContain("xception", "jackson", "\\tat ");
            // The body was read to its end: the connection goes on.
            assertThat(wire.send(Wire.get("/healthz")).read().body()).isEqualTo("ok");
        }
        assertThat(server.levels("ticket")).isEqualTo(before);
    }
}
