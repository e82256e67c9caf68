package dev.spike.bench.load;

import static org.assertj.core.api.Assertions.assertThat;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.undertow.Undertow;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

class BareUndertowTest {

    @Test
    void get_anyPath_answersTheBytesOfSoldOut() throws IOException, InterruptedException {
        Undertow server = BareUndertow.start(0, 1);
        try {
            int port = ((InetSocketAddress) server.getListenerInfo().get(0).getAddress()).getPort();
            HttpRequest get = HttpRequest.newBuilder(
                            URI.create("http://127.0.0.1:" + port + "/buy/ticket"))
                    .build();

            HttpResponse<String> answer =
                    HttpClient.newHttpClient().send(get, HttpResponse.BodyHandlers.ofString(UTF_8));

            assertThat(answer.statusCode()).isEqualTo(200);
            assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/json");
            assertThat(answer.body()).isEqualTo("{\"code\":-1,\"msg\":\"已售罄\"}");
        } finally {
            server.stop();
        }
    }
}
