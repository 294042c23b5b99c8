package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"superindex/chain"
	"superindex/registry"
)

func newRegistry() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "registry",
		Short: "What is watched, and why",
		Args:  exactly(0),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.PersistentFlags().Bool("json", false, "as JSON")
	cmd.AddCommand(newRegistryShow(), newRegistryFind(), newRegistryDiff())
	return cmd
}

// loadRegistry reads oss-directory from where the config says, or from source.
func loadRegistry(cmd *cobra.Command, source string) (*registry.Snapshot, config, error) {
	c, err := configOf(cmd)
	if err != nil {
		return nil, c, err
	}
	if source == "" {
		snapshot, err := loadSnapshot(cmd.Context(), c)
		return snapshot, c, err
	}
	o := registry.DefaultOptions()
	o.Source = source
	snapshot, err := registry.Load(cmd.Context(), o)
	if err != nil {
		return nil, c, fmt.Errorf("registry: %w", err)
	}
	return snapshot, c, nil
}

// loadSnapshot reads oss-directory from where the config says.
func loadSnapshot(ctx context.Context, c config) (*registry.Snapshot, error) {
	o := registry.DefaultOptions()
	o.Source, o.Folder = c.Registry.OSSDirectory, filepath.Join(c.DataDir, "registry")
	snapshot, err := registry.Load(ctx, o)
	switch {
	case chain.IsFatal(err) || ctx.Err() != nil:
		return nil, fmt.Errorf("registry: %w", err)
	case err != nil:
		return nil, chain.Fatal(fmt.Errorf("registry: %w", err), otherDirectory)
	}
	return snapshot, nil
}

// otherDirectory mends a registry that cannot be read.
const otherDirectory = "let registry.oss_directory be a folder, a .tar.gz or a URL that can be read"

func printReport(cmd *cobra.Command, r registry.Report) error {
	asJSON, err := cmd.Flags().GetBool("json")
	if err != nil {
		return err
	}
	return registry.Print(cmd.OutOrStdout(), r, asJSON)
}

func newRegistryShow() *cobra.Command {
	return &cobra.Command{
		Use:     "show",
		Example: "  superindex registry show --json | jq .networks",
		Short:   "Counts by network, tag and source; what yields nothing yet; what is malformed",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			snapshot, c, err := loadRegistry(cmd, "")
			if err != nil {
				return err
			}
			all, err := registry.LoadNetworks(c.Registry.NetworksFile, registry.Superchain())
			if err != nil {
				return fmt.Errorf("registry.networks_file: %w", err)
			}
			return printReport(cmd, snapshot.Summary(all, all.Listed(snapshot)))
		},
	}
}

func newRegistryFind() *cobra.Command {
	return &cobra.Command{
		Use:     "find ADDRESS|NAME",
		Example: "  superindex registry find 0x4200000000000000000000000000000000000042\n  superindex registry find uniswap",
		Short:   "Who owns an address, or what a project or collection lists",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			snapshot, _, err := loadRegistry(cmd, "")
			if err != nil {
				return err
			}
			found := snapshot.Find(args[0])
			if !found.Empty() {
				return printReport(cmd, found)
			}
			if name := meant(args[0], projectNames(snapshot)); name != "" && len(found.Similar) == 0 {
				found.Similar = []string{name}
			}
			return errors.Join(printReport(cmd, found), fmt.Errorf("registry: nothing is listed under %q", args[0]))
		},
	}
}

func projectNames(s *registry.Snapshot) (names []string) {
	for i := range s.Projects {
		names = append(names, s.Projects[i].Name)
	}
	return names
}

func newRegistryDiff() *cobra.Command {
	return &cobra.Command{
		Use:     "diff A B",
		Example: "  superindex registry diff ./oss-directory-old ./oss-directory",
		Short:   "What B lists that A does not, and the other way round; each a folder, a tarball or a URL",
		Args:    exactly(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			from, _, err := loadRegistry(cmd, args[0])
			if err != nil {
				return err
			}
			to, _, err := loadRegistry(cmd, args[1])
			if err != nil {
				return err
			}
			return printReport(cmd, registry.Diff(from, to))
		},
	}
}
