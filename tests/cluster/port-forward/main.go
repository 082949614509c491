// Program port-forward is what a kubelet does for `kubectl port-forward`, with kubelet's own code, for pods that run
// nowhere: each of their ports is an address of this machine.
//
// Usage: port-forward LISTEN CERTIFICATE KEY POD:PORT=ADDRESS...
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"k8s.io/cri-streaming/pkg/streaming/portforward"
)

const patience = time.Minute

type addresses map[string]string

func (a addresses) PortForward(_ context.Context, pod, _ string, port int32, stream io.ReadWriteCloser) error {
	defer stream.Close()
	address, known := a[fmt.Sprintf("%s:%d", pod, port)]
	if !known {
		return fmt.Errorf("pod %s has no port %d", pod, port)
	}
	connection, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer connection.Close()
	go func() {
		io.Copy(connection, stream)
		connection.(*net.TCPConn).CloseWrite()
	}()
	_, err = io.Copy(stream, connection)
	return err
}

func main() {
	known := addresses{}
	for _, argument := range os.Args[4:] {
		port, address, _ := strings.Cut(argument, "=")
		known[port] = address
	}
	// /portForward/NAMESPACE/POD or /portForward/NAMESPACE/POD/UID
	http.HandleFunc("/portForward/", func(w http.ResponseWriter, request *http.Request) {
		parts := strings.Split(request.URL.Path, "/")
		options, err := portforward.NewV4Options(request)
		if err != nil || len(parts) < 4 {
			http.Error(w, fmt.Sprint("what is this? ", err), http.StatusBadRequest)
			return
		}
		portforward.ServePortForward(w, request, known, parts[3], "", options, patience, patience,
			portforward.SupportedProtocols)
	})
	log.Fatal(http.ListenAndServeTLS(os.Args[1], os.Args[2], os.Args[3], nil))
}
