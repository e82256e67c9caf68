package dev.spike.bench.load;

import dev.spike.bench.rig.Child;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;

/**
 * An nginx in front of servers on loopback: round robin, over connections that are kept. It uses
 * files of one folder only, and needs no rights.
 */
final class Nginx {

    private Nginx() {}

    /**
     * Starts the one of the PATH. It need not listen yet.
     *
     * @param workers a number of processes, or auto
     * @throws IllegalStateException if there is no nginx on the PATH
     */
    static Child start(Path folder, int port, String workers, List<Integer> servers) {
        Path binary = Child.onPath("nginx");
        Path file = folder.resolve("nginx.conf");
        try {
            Files.writeString(file, configuration(folder, port, workers, servers));
        } catch (IOException failure) {
            throw new UncheckedIOException(failure);
        }
        return Child.start(
                folder,
                "nginx",
                List.of(
                        binary.toString(),
                        "-e",
                        "stderr",
                        "-p",
                        folder.toString(),
                        "-c",
                        file.toString()));
    }

    /**
     * What nginx is told. A failed request is not tried on the next server: without a key it would
     * buy twice. Connections to the servers end before the demo server ends them (10 s), so that no
     * request meets a connection that is being closed.
     */
    static String configuration(Path folder, int port, String workers, List<Integer> servers) {
        String upstream = servers.stream()
                .map(server -> "server 127.0.0.1:" + server + " max_fails=0;")
                .collect(Collectors.joining("\n        "));
        return """
                daemon off;
                worker_processes %1$s;
                pid "%2$s/nginx.pid";
                error_log stderr error;
                events {
                    worker_connections 4096;
                }
                http {
                    access_log off;
                    client_body_temp_path "%2$s/client_body";
                    proxy_temp_path "%2$s/proxy";
                    fastcgi_temp_path "%2$s/fastcgi";
                    uwsgi_temp_path "%2$s/uwsgi";
                    scgi_temp_path "%2$s/scgi";
                    keepalive_requests 1000000000;
                    upstream spike {
                        %3$s
                        keepalive 256;
                        keepalive_requests 1000000000;
                        keepalive_timeout 5s;
                    }
                    server {
                        listen 127.0.0.1:%4$d;
                        location / {
                            proxy_pass http://spike;
                            proxy_http_version 1.1;
                            proxy_set_header Connection "";
                            proxy_next_upstream off;
                        }
                    }
                }
                """.formatted(workers, folder, upstream, port);
    }
}
